"""The modules of one engine: loading them, unloading them, and giving their data to whoever writes files.

Loading is all or nothing. Whatever goes wrong (a name that is taken, a module that is missing, a hook that raises), what had
been added is taken out again, and the reason is told to who asked and to the log.

`engine.extras["modules"]` holds the registry; the server's persistence asks for `module_types`, `module_data`,
`module_commands` and `load_module_data` there, CONFIG REWRITE for `module_lines`, COMMAND LIST for `module_of`, and the users'
rules for `module_categories`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cutaway.commands import Command, CommandError, Engine
from cutaway.commands.introspection import CATEGORY_ORDER
from cutaway.config import ConfigError
from cutaway.config.quoting import quote
from cutaway.datastructures.module_values import ModuleValue, Token
from cutaway.modules.declarations import Module
from cutaway.modules.events import ServerEvent
from cutaway.modules.hosts import Host
from cutaway.modules.loaded import LoadedModule
from cutaway.modules.loaders import ModuleError, find

log: Final = logging.getLogger("cutaway.modules")


class Modules:
    """All modules that an engine has loaded, by name, in the order in which they came."""

    __slots__ = ("_engine", "_is_ticking", "_owed", "host", "loaded", "types")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._is_ticking = False
        self._owed = 0
        self.host = Host()
        """What surrounds the engine; a server puts its own here."""
        self.loaded: Final[dict[str, LoadedModule]] = {}
        self.types: Final[dict[str, type[ModuleValue]]] = {}
        """The types of values that can be loaded, by name."""
        extras = engine.extras
        extras["modules"] = self
        extras["module_types"] = self.types
        extras["module_data"] = self.data
        extras["module_commands"] = self.commands
        extras["load_module_data"] = self.load_data
        extras["module_lines"] = self.lines
        extras["module_of"] = self.module_of
        extras["module_categories"] = self.categories
        engine.info_sections["modules"] = self.info

    # ---- loading

    def load(
        self,
        place: str,
        arguments: Sequence[bytes] = (),
        settings: Sequence[tuple[str, str]] = (),
        configured: Mapping[str, str] | None = None,
    ) -> LoadedModule:
        """Load the module at `place` (see `loaders`). Raises ModuleError with the reason, and then nothing has changed.

        `settings` are this module's; of `configured`, a configuration's settings of modules, it gets what has its name.
        """
        declaration = find(place)
        prefix = f"{declaration.name}."
        own = [(name, value) for name, value in (configured or {}).items() if name.startswith(prefix)]
        return self.add(declaration, place, arguments, [*own, *settings])

    def add(
        self,
        declaration: Module,
        path: str = "",
        arguments: Sequence[bytes] = (),
        settings: Sequence[tuple[str, str]] = (),
    ) -> LoadedModule:
        """Load a declaration that is at hand: a notebook's, a test's. Raises ModuleError."""
        self._may_load(declaration)
        try:
            module = LoadedModule(self._engine, self, declaration, path, arguments)
        except Exception as error:
            raise ModuleError(
                f"the module '{declaration.name}' is broken: {type(error).__name__}: {error}"
            ) from error
        try:
            self._connect(module, settings)
        except (ConfigError, CommandError, ValueError) as error:
            self._disconnect(module)
            raise ModuleError(f"the module '{module.name}' was refused: {_reason(error)}") from error
        if not self._is_ticking:
            self._is_ticking = True
            self._engine.on_cron = (*self._engine.on_cron, self._cron)
        self.fire(ServerEvent("module loaded", what=(module.name,)), but=module)
        log.info("Module '%s' version %d loaded from %s", module.name, declaration.version, path or "memory")
        return module

    def _may_load(self, declaration: Module) -> None:
        if declaration.name in self.loaded:
            raise ModuleError(f"the module '{declaration.name}' is loaded already")
        for name in declaration.requires:
            if name not in self.loaded:
                raise ModuleError(
                    f"the module '{declaration.name}' needs the module '{name}', which is not loaded"
                )
        for kind in declaration.data_types:
            if kind.type_name in self.types:
                raise ModuleError(f"the type name '{kind.type_name}' is taken")
        for category in declaration.acl_categories:
            if category in CATEGORY_ORDER or category in self.categories():
                raise ModuleError(f"the ACL category '{category}' is taken")
        known = {*CATEGORY_ORDER, *self.categories(), *declaration.acl_categories}
        for command in declaration.commands:
            for word in str(command.options.get("acl", "")).split():
                if word.removeprefix("-") not in known:
                    raise ModuleError(f"the command '{command.name}' is in an unknown ACL category, '{word}'")

    def _connect(self, module: LoadedModule, settings: Sequence[tuple[str, str]]) -> None:
        declaration = module.declaration
        self.loaded[module.name] = (
            module  # before its commands: users' rules about its categories apply to these
        )
        try:
            self._engine.extend(module.commands)
        except ValueError:
            del self.loaded[module.name]
            raise
        for kind in declaration.data_types:
            self.types[kind.type_name] = kind
        prefix = f"{module.name}."
        module.connect([(prefix + name.removeprefix(prefix), value) for name, value in settings])
        with self._engine.unit():
            for hook in declaration.load_hooks:
                module.guard(hook, module.context(), list(module.arguments))

    def _disconnect(self, module: LoadedModule) -> None:
        module.disconnect()
        for kind in module.declaration.data_types:
            self.types.pop(kind.type_name, None)
        if self.loaded.pop(module.name, None) is not None:
            self._engine.withdraw(module.commands)

    # ---- unloading

    def unload(self, name: str) -> None:
        """Let a module go. Raises ModuleError if there is none, or if something still needs it. O(keys)."""
        module = self.loaded.get(name)
        if module is None:
            raise ModuleError("no such module with that name")
        for other in self.loaded.values():
            if name in other.declaration.requires:
                raise ModuleError(f"the module '{other.name}' needs it")
        held = self._values_of(module)
        if held:
            raise ModuleError(
                f"{held} keys hold values of its types" if held > 1 else "1 key holds a value of its types"
            )
        own = {command.full_name for command in module.commands}
        if any(waiting.command.full_name in own for waiting in self._engine.blocking.waiting.values()):
            raise ModuleError("clients wait for its answer")
        try:
            for hook in module.declaration.unload_hooks:
                module.guard(hook, module.context())
        except CommandError as error:
            raise ModuleError(f"it wants to stay: {_reason(error)}") from error
        self._disconnect(module)
        self.fire(ServerEvent("module unloaded", what=(name,)))
        log.info("Module '%s' unloaded", name)

    def _values_of(self, module: LoadedModule) -> int:
        kinds = tuple(module.declaration.data_types)
        if not kinds:
            return 0
        databases = self._engine.keyspace.databases
        return sum(isinstance(entry.value, kinds) for each in databases for entry in each.keys.values())

    # ---- what happens

    def owe(self, changes: int) -> None:
        """So many changes are to be counted later, when no command runs that would be taken for their author."""
        self._owed += changes

    def _cron(self, now: int) -> None:
        self._engine.keyspace.dirty += self._owed
        self._owed = 0
        self.run_timers(now)
        self.fire(ServerEvent("cron"))

    def run_timers(self, now: int) -> None:
        """Call the timers that are due, and tell the host when the next one is. O(modules)."""
        for module in list(self.loaded.values()):
            module.run_timers(now)
        deadlines = [module.next_deadline() for module in self.loaded.values()]
        waiting = [deadline for deadline in deadlines if deadline is not None]
        if waiting:
            self.host.wake_at(min(waiting))

    def fire(self, event: ServerEvent, but: LoadedModule | None = None) -> None:
        """Tell all modules of an event, `but` one."""
        for module in list(self.loaded.values()):
            if module is not but:
                module.fire(event)

    # ---- what is kept

    def data(self) -> list[tuple[str, int, Iterable[Token]]]:
        """What modules keep beside the keys: the name and version of the format, the tokens."""
        found: list[tuple[str, int, Iterable[Token]]] = []
        for module in self.loaded.values():
            form = module.declaration.state_format
            if form is not None:
                found.append((form.name, form.version, form.save(module.state)))
        return found

    def commands(self) -> Iterator[Sequence[bytes]]:
        """The same as commands."""
        for module in self.loaded.values():
            form = module.declaration.state_format
            if form is not None:
                yield from form.rewrite(module.state)

    def load_data(self, name: str, version: int, tokens: Sequence[Token]) -> bool:
        """Give a module what it had kept; False if no module knows that format, or it does not understand it."""
        for module in self.loaded.values():
            form = module.declaration.state_format
            if form is not None and form.name == name and version <= form.version:
                module.state = module.declaration.state()
                try:
                    form.load(module.state, iter(tokens), version)
                except Exception:
                    module.log.exception("module %s does not understand its data", module.name)
                    return False
                return True
        return False

    def lines(self) -> list[str]:
        """The modules as `loadmodule` in a configuration file names them."""
        return [
            " ".join(
                [module.path, *(quote(word.decode("utf-8", "surrogateescape")) for word in module.arguments)]
            )
            for module in self.loaded.values()
            if module.path
        ]

    # ---- what others ask

    def module_of(self, command: Command) -> bytes | None:
        """The name of the module that a command came with. O(commands of modules)."""
        for module in self.loaded.values():
            if any(own.full_name == command.full_name for own in module.commands):
                return module.name.encode()
        return None

    def categories(self) -> list[str]:
        """The categories that modules have brought, in order."""
        return [name for module in self.loaded.values() for name in module.declaration.acl_categories]

    def describe(self) -> list[dict[bytes, Any]]:
        """What MODULE LIST tells."""
        return [
            {b"name": module.name.encode(), b"ver": module.declaration.version, b"path": module.path.encode(),
             b"args": list(module.arguments)}
            for module in self.loaded.values()
        ]  # fmt: skip

    def info(self) -> dict[str, list[str]]:
        """INFO's section `modules`: a field for each, with the modules that it needs and those that need it. O(modules²)."""
        users = {name: [each for each in self.loaded if name in self._needs(each)] for name in self.loaded}
        return {
            "module": [
                f"name={name},ver={module.declaration.version},api=1,filters={len(module.declaration.filters)},"
                f"usedby=[{'|'.join(users[name])}],using=[{'|'.join(self._needs(name))}],options=[]"
                for name, module in self.loaded.items()
            ]
        }

    def _needs(self, name: str) -> tuple[str, ...]:
        return self.loaded[name].declaration.requires


def _reason(error: Exception) -> str:
    text = error.message if isinstance(error, CommandError) else str(error)
    return text.removeprefix("ERR ")


def install(engine: Engine) -> Modules:
    """Give `engine` a registry of modules, empty as yet."""
    return Modules(engine)
