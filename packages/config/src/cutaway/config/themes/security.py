"""Directives about passwords, users and what a client may do."""

from typing import Final

from cutaway.config.directive import Directive
from cutaway.config.values import LONG_MAX, Boolean, Enum, Integer, Text

_WHO: Final = ("no", "yes", "local")

DIRECTIVES: Final = (
    Directive("requirepass", Text(), "", sensitive=True),
    Directive("aclfile", Text(absent_if_empty=False), "", immutable=True),
    Directive("acllog-max-len", Integer(0, LONG_MAX), 128),
    Directive("acl-pubsub-default", Enum("allchannels", "resetchannels"), "resetchannels"),
    Directive("enable-protected-configs", Enum(*_WHO), "no", immutable=True),
    Directive("enable-debug-command", Enum(*_WHO), "no", immutable=True),
    Directive("enable-module-command", Enum(*_WHO), "no", immutable=True),
    Directive(
        "enable-debug-assert",
        Boolean(),
        False,
        "there is no assertion to provoke",
        immutable=True,
        hidden=True,
    ),
)
