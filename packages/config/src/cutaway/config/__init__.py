"""The table of directives, the configuration made of it, and a reader and rewriter of `redis.conf`.

Start with `directives` for what can be set, `config` for the object the rest of the server reads and
changes, and `parser` and `rewriter` for the file it comes from and goes back to. `glob` is Redis's pattern
language, here because `CONFIG GET` needs it.
"""

from cutaway.config.config import Config, LoadingError
from cutaway.config.directive import Directive
from cutaway.config.glob import matcher, matches
from cutaway.config.values import ConfigError

__all__ = ["Config", "ConfigError", "Directive", "LoadingError", "matcher", "matches"]
