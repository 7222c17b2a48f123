"""The structures Redis keeps its values in, each readable, checkable and alone."""

from cutaway.datastructures import geohashes as geohashes
from cutaway.datastructures import hyperloglogs as hyperloglogs
from cutaway.datastructures.avl_trees import AVLTree as AVLTree
from cutaway.datastructures.caches import LFUCache as LFUCache
from cutaway.datastructures.caches import LRUCache as LRUCache
from cutaway.datastructures.dicts import Dict as Dict
from cutaway.datastructures.eviction_clocks import EvictionPool as EvictionPool
from cutaway.datastructures.hash_values import HashValue as HashValue
from cutaway.datastructures.intsets import IntSet as IntSet
from cutaway.datastructures.list_values import ListValue as ListValue
from cutaway.datastructures.listpacks import ListPack as ListPack
from cutaway.datastructures.quicklists import QuickList as QuickList
from cutaway.datastructures.radix_trees import RadixSnapshot as RadixSnapshot
from cutaway.datastructures.radix_trees import RadixTree as RadixTree
from cutaway.datastructures.set_values import SetValue as SetValue
from cutaway.datastructures.skiplists import SkipList as SkipList
from cutaway.datastructures.sorted_containers_index import SortedContainersIndex as SortedContainersIndex
from cutaway.datastructures.sorted_set_index import SortedSetIndex as SortedSetIndex
from cutaway.datastructures.sorted_set_listpacks import ListPackIndex as ListPackIndex
from cutaway.datastructures.sorted_set_values import DEFAULT_INDEX as DEFAULT_INDEX
from cutaway.datastructures.sorted_set_values import IndexChoice as IndexChoice
from cutaway.datastructures.sorted_set_values import SortedSetValue as SortedSetValue
from cutaway.datastructures.stream_groups import Consumer as Consumer
from cutaway.datastructures.stream_groups import ConsumerGroup as ConsumerGroup
from cutaway.datastructures.stream_groups import PendingEntry as PendingEntry
from cutaway.datastructures.streams import Stream as Stream
