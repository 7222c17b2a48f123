"""Checking files before a server is asked to load them, and mending what can be mended.

A verdict says for each file whether it is whole, what it holds, and where it is not. Only one kind of damage
can be mended without losing anything that was ever acknowledged: a torn tail, the half command at the end of
the last append-only file. It is cut off when that is asked for. Other damage is reported with its offset and
left alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .aof_manifest import INCREMENTAL, AOFFile, Manifest
from .aof_replay import AOFReplay, TornTail
from .errors import AOFError, PersistenceError, RDBError
from .files import Files, OSFiles
from .rdb_format import MAGIC_REDIS, MAGIC_VALKEY
from .rdb_reader import End, Entry, RDBReader
from .rdb_values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST_SUFFIX: Final = ".manifest"


@dataclass(slots=True)
class Verdict:
    """What was found out about a file or a directory."""

    path: str
    ok: bool
    text: str
    offset: int | None = None
    fixed: bool = False


def type_name(value: Value) -> str:
    """Return the name of a value's type as the TYPE command has it."""
    return "string" if isinstance(value, (int, bytes, bytearray)) else value.type_name


def check(path: str, *, fix: bool = False) -> Verdict:
    """Check an RDB file, an append-only file, a manifest, or a directory with one. O(bytes)."""
    try:
        if Path(path).is_dir():
            return _check_directory(path, fix=fix)
        if path.endswith(MANIFEST_SUFFIX):
            parent = str(Path(path).parent)
            return _check_replay(path, AOFReplay(OSFiles(), parent, _prefix(path)), fix=fix)
        if _is_rdb_alone(path):
            return _check_rdb(path)
        return _check_replay(path, _single(path), fix=fix)
    except AOFError as error:
        return Verdict(f"{path}: {error.file}", ok=False, text=error.text, offset=error.offset)
    except RDBError as error:
        return Verdict(path, ok=False, text=error.text, offset=error.offset)
    except OSError as error:
        return Verdict(path, ok=False, text=error.strerror or str(error))


def _prefix(manifest: str) -> str:
    return Path(manifest).name.removesuffix(MANIFEST_SUFFIX)


def _check_directory(path: str, *, fix: bool) -> Verdict:
    """Check the append-only files of a directory, which has one manifest."""
    manifests = sorted(Path(path).glob(f"*{MANIFEST_SUFFIX}"))
    if len(manifests) != 1:
        return Verdict(path, ok=False, text=f"{len(manifests)} manifests in the directory, not one")
    return _check_replay(path, AOFReplay(OSFiles(), path, _prefix(str(manifests[0]))), fix=fix)


def _is_rdb_alone(path: str) -> bool:
    """Tell whether a file begins as an RDB file and has no name of an append-only one."""
    with Path(path).open("rb") as file:
        return file.read(len(MAGIC_VALKEY)).startswith((MAGIC_REDIS, MAGIC_VALKEY)) and not path.endswith(
            ".aof"
        )


def _check_rdb(path: str) -> Verdict:
    """Read an RDB file to its end."""
    counts: Counter[str] = Counter()
    with Path(path).open("rb") as file:
        reader = RDBReader(file)
        checksum = 0
        for event in reader.events():
            if isinstance(event, End):
                checksum = event.checksum
            elif isinstance(event, Entry):
                counts[type_name(event.value)] += 1
        end = reader.source.offset
        if reader.source.need(1):
            return Verdict(
                path, ok=False, text="there is something after the end of the RDB file", offset=end
            )
    kinds = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    text = f"RDB version {reader.version}, {counts.total()} keys{f' ({kinds})' if kinds else ''}"
    return Verdict(path, ok=True, text=f"{text}, {'checksum is right' if checksum else 'no checksum'}")


def _single(path: str) -> AOFReplay:
    """Return a replay of a file that stands alone, with no manifest."""
    file = Path(path)
    replay = AOFReplay(_NoManifest(OSFiles()), str(file.parent), file.name)
    replay.manifest = Manifest(file.name, increments=[AOFFile(file.name, 1, INCREMENTAL)])
    return replay


class _NoManifest(OSFiles):
    """The disk, on which no manifest is found."""

    __slots__ = ("_files",)

    def __init__(self, files: Files) -> None:
        self._files = files

    def size(self, path: str, /) -> int | None:
        """Return the size of a file, None for a manifest."""
        return None if path.endswith(MANIFEST_SUFFIX) else self._files.size(path)


def _check_replay(path: str, replay: AOFReplay, *, fix: bool) -> Verdict:
    """Read append-only files to their end; cut a torn tail off if that is asked for."""
    commands = keys = 0
    for item in replay:
        if isinstance(item, list):
            commands += 1
        elif isinstance(item, Entry):
            keys += 1
    torn = replay.torn
    if torn is None:
        return Verdict(path, ok=True, text=f"AOF, {keys} keys in its base, {commands} commands, is valid")
    if fix:
        replay.cut_torn_tail()
    return Verdict(path, ok=fix, text=_torn_text(torn, fix=fix), offset=torn.offset, fixed=fix)


def _torn_text(torn: TornTail, *, fix: bool) -> str:
    done = "cut off" if fix else "no whole command or transaction: --fix cuts them off"
    return f"{torn.file}: the last {torn.size} bytes are {done}"


def entries_of(path: str) -> Iterator[Entry]:
    """Yield the keys of an RDB file. Raises PersistenceError, OSError."""
    with Path(path).open("rb") as file:
        try:
            yield from RDBReader(file).entries()
        except RDBError as error:
            raise PersistenceError(f"{path}: {error}") from error
