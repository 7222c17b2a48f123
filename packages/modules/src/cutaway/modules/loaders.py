"""Finding a module's declaration: a file, an installed module's name, or a name that can be imported.

* A path that exists is run as a file of its own, anew each time: the way of one who is writing it.
* A name that an installed distribution offers as entry point `cutaway.modules` is what it says there, so that `pip install`
  brings modules.
* Anything else is imported: `package.module`, or `package.module:attribute` if the declaration has another name.

Where no attribute is named, the file's `module` is it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from cutaway.modules.declarations import Module

GROUP: Final = "cutaway.modules"
ATTRIBUTE: Final = "module"


class ModuleError(Exception):
    """A module cannot be loaded, or not be unloaded, for the reason that the text says."""


def find(place: str) -> Module:
    """The declaration at `place`. Raises ModuleError with the reason if there is none."""
    name, _, attribute = place.partition(":")
    try:
        found = _load(place, name, attribute or ATTRIBUTE)
    except ModuleError:
        raise
    except Exception as error:
        raise ModuleError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(found, Module):
        raise ModuleError(f"{place} has no `{attribute or ATTRIBUTE}` that is a Module")
    return found


def _load(place: str, name: str, attribute: str) -> object:
    path = Path(name)
    if path.suffix == ".py" or path.is_absolute() or "/" in name:
        return getattr(_run(path), attribute, None)
    offered = entry_points(group=GROUP, name=place)
    for entry in offered:
        return entry.load()
    return getattr(importlib.import_module(name), attribute, None)


def _run(path: Path) -> object:
    if path.is_dir():
        path /= "__init__.py"
    if not path.is_file():
        raise ModuleError(f"there is no file {path}")
    name = f"cutaway_module_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModuleError(f"{path} is not a file of Python")
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module  # a dataclass looks its module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        raise
    return module
