"""The engine, the keyspace, and every data command, without a socket.

Start with `engine`, which says how a request becomes a reply and where other rooms hook in; then `keyspaces`, `tables` (how a
command is declared) and any one group, such as `strings`.
"""

from cutaway.commands.blocking import Block, holds
from cutaway.commands.clients import PASS, Client
from cutaway.commands.clocks import FakeClock, system_clock
from cutaway.commands.engine import Engine
from cutaway.commands.errors import CommandError
from cutaway.commands.key_specs import OW, RM, RO, RW, KeySpec
from cutaway.commands.keyspaces import Database, Entry, Keyspace
from cutaway.commands.options import Options
from cutaway.commands.tables import Command, CommandTable

__all__ = [
    "OW",
    "PASS",
    "RM",
    "RO",
    "RW",
    "Block",
    "Client",
    "Command",
    "CommandError",
    "CommandTable",
    "Database",
    "Engine",
    "Entry",
    "FakeClock",
    "KeySpec",
    "Keyspace",
    "Options",
    "holds",
    "system_clock",
]
