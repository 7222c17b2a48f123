"""Modules in Python: what a C module can do to Redis, said in the language of this server.

Start with `declarations`, which is what an author writes, and `contexts`, which is what his functions get to work with;
`registry` loads and unloads, `loaders` finds the files; `blocked_clients`, `timers` and `threads` are about time.
"""

from cutaway.commands import OW, RM, RO, RW, Block, CommandError, holds
from cutaway.config import ConfigError
from cutaway.datastructures.module_values import ModuleValue, Token
from cutaway.modules.blocked_clients import BlockedClient
from cutaway.modules.contexts import Context, Key
from cutaway.modules.declarations import Module
from cutaway.modules.events import SERVER_EVENTS, ServerEvent
from cutaway.modules.hosts import Host
from cutaway.modules.loaders import ModuleError
from cutaway.modules.module_commands import module_commands
from cutaway.modules.registry import Modules, install
from cutaway.modules.threads import ThreadContext
from cutaway.modules.timers import Timer
from cutaway.resp import Reply

__all__ = [
    "OW", "RM", "RO", "RW", "SERVER_EVENTS", "Block", "BlockedClient", "CommandError", "ConfigError", "Context", "Host", "Key",
    "Module", "ModuleError", "ModuleValue", "Modules", "Reply", "ServerEvent", "ThreadContext", "Timer", "Token", "holds",
    "install", "module_commands",
]  # fmt: skip
