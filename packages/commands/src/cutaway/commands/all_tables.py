"""All tables of this room, for who wants every command that needs nothing but an engine.

A table that several modules declare into is imported from the last of them, so that it is complete. There is no registry behind
this: an `Engine` has the tables that it is given, these or any others.
"""

from __future__ import annotations

from typing import Final

from cutaway.commands.bitfields import bitmaps
from cutaway.commands.blocking_lists import lists
from cutaway.commands.blocking_sorted_sets import blocking_sorted_sets
from cutaway.commands.cluster_commands import cluster_commands
from cutaway.commands.configuration import configuration
from cutaway.commands.connections import connections
from cutaway.commands.counters import counters
from cutaway.commands.debugging import debugging
from cutaway.commands.expiring import generic
from cutaway.commands.geo_searches import geo
from cutaway.commands.hash_expiry import hash_expiry
from cutaway.commands.hashes import hashes
from cutaway.commands.hyperloglog_commands import hyperloglog
from cutaway.commands.introspection import introspection
from cutaway.commands.memory_commands import memory
from cutaway.commands.objects import objects
from cutaway.commands.scanning import scan as _scan  # noqa: F401 - declares into `generic`
from cutaway.commands.server_commands import server_commands
from cutaway.commands.set_algebra import sets
from cutaway.commands.sorted_set_algebra import sorted_sets
from cutaway.commands.sorting import sorting
from cutaway.commands.stream_claims import xclaim as _xclaim  # noqa: F401 - declares into `streams`
from cutaway.commands.stream_info import streams
from cutaway.commands.strings import strings
from cutaway.commands.subsequences import subsequences
from cutaway.commands.tables import CommandTable

TABLES: Final[tuple[CommandTable, ...]] = (
    strings, subsequences, counters, bitmaps, hyperloglog, lists, sets, hashes, hash_expiry, sorted_sets, blocking_sorted_sets, geo,
    streams, generic, objects, memory, sorting, connections, introspection, configuration, debugging, server_commands,
    cluster_commands,
)  # fmt: skip
"""In the order of the manual: values by type, keys, then the server itself. (DUMP and RESTORE need a file format: `dumping`.)"""
