"""What a configuration adds to the commands, or takes away, before the server starts: `loadmodule`, `rename-command`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cutaway.commands import Engine
from cutaway.modules import ModuleError, Modules, ServerEvent


class ExtensionError(Exception):
    """The server cannot start as it was told to, for the reason that the text says."""


def load_modules(
    engine: Engine, wanted: Iterable[tuple[str, Sequence[str]]], settings: Mapping[str, str]
) -> None:
    """Load the modules of a configuration, in order, with their settings. Raises ExtensionError."""
    modules: Modules = engine.extras["modules"]
    left = dict(settings)
    for place, arguments in wanted:
        try:
            words = [word.encode("utf-8", "surrogateescape") for word in arguments]
            module = modules.load(place, words, configured=left)
            left = {name: value for name, value in left.items() if not name.startswith(f"{module.name}.")}
        except ModuleError as error:
            raise ExtensionError(f"Can't load module from {place}: {error}") from error
    if left:
        raise ExtensionError(
            f"Module Configuration detected without loadmodule directive: {next(iter(left))}"
        )


def tell_modules(engine: Engine, event: str, *what: str) -> None:
    """Something has happened to the server that modules may want to hear of."""
    modules: Modules | None = engine.extras.get("modules")
    if modules is not None and modules.loaded:
        modules.fire(ServerEvent(event, what=what))


def rename_commands(engine: Engine, renamed: Iterable[tuple[str, str]]) -> None:
    """Give commands other names, or none. Raises ExtensionError."""
    for name, new_name in renamed:
        try:
            engine.rename(name, new_name)
        except KeyError:
            raise ExtensionError(f"No such command in rename-command: {name}") from None
        except ValueError:
            raise ExtensionError(f"Target command name already exists: {new_name}") from None
