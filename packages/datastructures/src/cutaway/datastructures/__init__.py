"""The structures Redis keeps its values in, each readable, checkable and alone."""

from cutaway.datastructures.dicts import Dict as Dict
from cutaway.datastructures.intsets import IntSet as IntSet
from cutaway.datastructures.listpacks import ListPack as ListPack
