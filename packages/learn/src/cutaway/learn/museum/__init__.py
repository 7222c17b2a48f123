"""The bug museum: ten bugs that somebody might have written, each to be found by a test of the reader's."""

from typing import Final

from cutaway.learn.museum import keyspace, streams, structures
from cutaway.learn.museum.exhibits import Exhibit, Lab

EXHIBITS: Final[tuple[Exhibit, ...]] = (*streams.EXHIBITS, *keyspace.EXHIBITS, *structures.EXHIBITS)

__all__ = ["EXHIBITS", "Exhibit", "Lab"]
