"""The structures Redis keeps its values in, each readable, checkable and alone."""

from cutaway.datastructures.dicts import Dict as Dict
from cutaway.datastructures.intsets import IntSet as IntSet
from cutaway.datastructures.listpacks import ListPack as ListPack
from cutaway.datastructures.avl_trees import AVLTree as AVLTree
from cutaway.datastructures.skiplists import SkipList as SkipList
from cutaway.datastructures.sorted_containers_index import SortedContainersIndex as SortedContainersIndex
from cutaway.datastructures.sorted_set_index import SortedSetIndex as SortedSetIndex
from cutaway.datastructures.sorted_set_listpacks import ListPackIndex as ListPackIndex
from cutaway.datastructures.sorted_set_values import DEFAULT_INDEX as DEFAULT_INDEX
from cutaway.datastructures.sorted_set_values import IndexChoice as IndexChoice
from cutaway.datastructures.sorted_set_values import SortedSetValue as SortedSetValue
from cutaway.datastructures.list_values import ListValue as ListValue
from cutaway.datastructures.quicklists import QuickList as QuickList
