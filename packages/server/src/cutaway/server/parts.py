"""The parts of the server that can be swapped, and how to name another one.

Every part that a reader might want to write themself is a field here, with the one the server uses by default. The rest of
the server takes its parts from this object and constructs none of them itself, so that

    python -m server --use resp.RequestParser=./mine.py:Parser

runs the whole server on the reader's own part.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from cutaway.commands import Engine
from cutaway.config import glob
from cutaway.datastructures import DEFAULT_INDEX, Dict, EvictionPool
from cutaway.persistence import Files, OSFiles
from cutaway.resp import Encoder, RequestLimits, RequestParser, best_request_parser
from cutaway.transactions import Watches


class PartError(Exception):
    """`--use` names a part that there is not, or one that cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server is made of. Each field is a class or a function that makes the part."""

    request_parser: Callable[[RequestLimits], RequestParser]
    encoder: Callable[[int], Encoder]
    dict: Callable[[], Dict[Any, Any]]
    sorted_set_index: Callable[..., Any]
    eviction_pool: Callable[[], EvictionPool] = EvictionPool
    watches: Callable[[Engine], Watches] = Watches
    matches: Callable[[bytes, bytes], object] | None = None
    """Whether a channel matches a pattern; None: patterns are compiled."""
    read_string: Callable[[Callable[[int], bytes]], bytes] | None = None
    """How a string of a snapshot is read; None: by `Source` itself."""
    replay: Callable[[bytes], tuple[list[list[bytes]], int]] | None = None
    """The commands of an append-only file that count, and up to where they do; None: they are read one by one."""
    files: Callable[[], Files] = OSFiles

    def matcher(self, pattern: bytes) -> Callable[[bytes], object]:
        """The test for a pattern of PSUBSCRIBE."""
        return glob.matcher(pattern) if self.matches is None else partial(self.matches, pattern)


NAMES: Final = {
    "resp.RequestParser": "request_parser",
    "resp.Encoder": "encoder",
    "datastructures.Dict": "dict",
    "datastructures.SortedSetIndex": "sorted_set_index",
    "datastructures.EvictionPool": "eviction_pool",
    "transactions.Watches": "watches",
    "pubsub.matches": "matches",
    "persistence.read_string": "read_string",
    "persistence.replay": "replay",
    "persistence.Files": "files",
}
"""How `--use` calls each part: the room it lives in, and its name there."""


def default_parts() -> Parts:
    """The parts of an ordinary server: the fastest body of each contract that is installed."""
    return Parts(best_request_parser(), Encoder, Dict, DEFAULT_INDEX.factory)


def use(parts: Parts, choice: str) -> Parts:
    """The same parts but for one: `choice` is `part=path/to/file.py:Name` or `part=package.module:Name`."""
    name, equals, place = choice.partition("=")
    source, colon, attribute = place.rpartition(":")
    if not equals or not colon:
        raise PartError(f"--use takes part=path:Name, not {choice!r}")
    field = NAMES.get(name, name)
    if field not in {each.name for each in fields(Parts)}:
        raise PartError(f"no part is called {name!r}; the parts are {', '.join(NAMES)}")
    return replace(parts, **{field: _load(source, attribute)})


def _load(source: str, attribute: str) -> Any:
    try:
        if source.endswith(".py") or "/" in source:
            path = Path(source).resolve()
            spec = importlib.util.spec_from_file_location(path.stem, path)
            if spec is None or spec.loader is None:
                raise PartError(f"{source} is not a Python file")  # noqa: TRY301
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(path.stem, module)  # dataclasses and pickle look a class's module up there
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(source)
        return getattr(module, attribute)
    except PartError:
        raise
    except Exception as error:
        raise PartError(f"cannot load {attribute} from {source}: {error!r}") from error
