"""What commands need of the world outside, and what only the server may touch: clocks, sleep, files, other rooms.

The engine's room imports neither `time` nor persistence. So it asks for these by name in `engine.extras`, and here they are given.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from cutaway.commands import CommandError, Engine
from cutaway.config.rewriter import rewrite
from cutaway.persistence.dumps import dump, dump_functions, restore, restore_functions
from cutaway.persistence.errors import DumpError
from cutaway.persistence.rdb_values import ValueOptions

log: Final = logging.getLogger("cutaway.server")


class DumpCodec:
    """The persistence room's DUMP payloads, as DUMP and RESTORE, and FUNCTION's two, ask for them."""

    __slots__ = ("_options",)

    def __init__(self, engine: Engine) -> None:
        self._options: Final = ValueOptions(
            limits=engine.limits, module_types=engine.extras.get("module_types", {})
        )
        engine.config.subscribe("rdb-version-check", self._check_versions)

    def _check_versions(self, choice: Any) -> None:
        self._options.any_version = choice == "relaxed"

    def dump(self, value: Any) -> bytes:
        """The payload of a value. O(bytes)."""
        return dump(value)

    def restore(self, payload: bytes) -> Any:
        """The value of a payload. Raises CommandError. O(bytes)."""
        try:
            return restore(payload, self._options)
        except DumpError as error:
            raise CommandError(f"ERR {error}") from error

    def dump_functions(self, sources: Iterable[bytes]) -> bytes:
        """The payload of function libraries, given their sources. O(bytes)."""
        return dump_functions(sources)

    def restore_functions(self, payload: bytes) -> list[bytes]:
        """The sources of the function libraries in a payload. Raises CommandError. O(bytes)."""
        try:
            return restore_functions(payload, any_version=self._options.any_version)
        except DumpError as error:
            raise CommandError(f"ERR {error}") from error


class ConfigFile:
    """The file that the configuration came from, for CONFIG REWRITE."""

    __slots__ = ("_engine", "_path")

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine: Final = engine
        self._path: Final = path

    def rewrite(self, *, everything: bool = False) -> None:
        """Put the present settings into the file, which is replaced as a whole or not at all. Raises CommandError."""
        extras = self._engine.extras
        try:
            original = self._path.read_text(encoding="utf-8", errors="surrogateescape")
            text = rewrite(
                self._engine.config, original,
                users=extras.get("acl_lines", list)(), modules=extras.get("module_lines", list)(),
                everything=everything,
            )  # fmt: skip
            replace_file(self._path, text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            log.warning("CONFIG REWRITE failed: %s", error.strerror)
            raise CommandError(f"ERR Rewriting config file: {error.strerror}") from error
        log.info("CONFIG REWRITE executed with success.")


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of the file as a whole, or not at all. Raises OSError."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def microseconds() -> int:
    """The time in microseconds since the epoch."""
    return time.time_ns() // 1000


def give(engine: Engine, config_file: str | None = None) -> None:
    """Give `engine` what its commands ask for."""
    engine.extras["codec"] = DumpCodec(engine)
    engine.extras["sleep"] = time.sleep
    engine.extras["microseconds"] = microseconds
    if config_file is not None:
        engine.extras["rewrite_config"] = ConfigFile(engine, Path(config_file).absolute()).rewrite
