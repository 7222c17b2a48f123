"""Real servers to compare with: started, spoken to, and held beside an engine of ours.

The reference for a reply is a real server, so the tests of most packages start one. What they need for that is here, in three
floors that can be used one without the other:

- `find` says where a Redis or a Valkey is, `RealServer` starts it on a socket of its own, `Peer` speaks to it, in values or in
  bytes; `until` waits for what it does, and `lines_of` counts what a call costs. That is all that this module gives, and
  it imports the protocol alone.
- `cutaway.testing.twins` puts an engine in this process beside the server: `Twins` asks both the same and insists on the same
  bytes, `Duo` (in `cutaway.testing.duos`) does so for several clients at once. These import `cutaway.commands`.
- `cutaway.testing.fixtures` is a pytest plugin, loaded wherever the package is installed: `redis_server`, `valkey_server`,
  `real_server`, `start_real`. A test is skipped where the server that it wants is not there.
"""

from cutaway.testing.binaries import Kind, MissingServerError, binaries, find, require
from cutaway.testing.costs import lines_of
from cutaway.testing.folders import short_folder
from cutaway.testing.peers import Address, Peer, ReplySplitter, Word, encode_words, exchange
from cutaway.testing.servers import PortServer, RealServer, ServerProcess, StartError, free_port
from cutaway.testing.waiting import Closing, until

__all__ = [
    "Address",
    "Closing",
    "Kind",
    "MissingServerError",
    "Peer",
    "PortServer",
    "RealServer",
    "ReplySplitter",
    "ServerProcess",
    "StartError",
    "Word",
    "binaries",
    "encode_words",
    "exchange",
    "find",
    "free_port",
    "lines_of",
    "require",
    "short_folder",
    "until",
]
