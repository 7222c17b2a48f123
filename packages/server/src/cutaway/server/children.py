"""A child process that works on a frozen copy of the data set.

`fork` gives the child the whole memory of the parent as it is at this moment, for nothing: the pages are shared until one of the
two writes on one. The child writes a file and exits; the parent goes on serving.

CPython makes that dearer than it is in C. Every object carries its reference count, so even *reading* an object writes on
its page, and the child comes to own a copy of all it looks at. What can be done is done: `gc.freeze()` before the fork and no
collection in the child, so that at least the collector writes on nothing; and `os._exit`, so that the child does not take the
data set apart at its end. How much was copied after all is measured by the child and reported (`rdb_last_cow_size`).

A parent that is killed leaves its child alive. So what the child does last, to put its file in the place where the next server will
look for it, is done only if the parent is still there: by then a new one may have written something newer.

The child inherits every descriptor. It closes them first thing: a listening socket that lives on in a child would keep the
port taken after the parent is gone.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable
from typing import Final

from cutaway.server.progress import Progress, private_bytes

MAX_REPORT: Final = 4096
KEPT_DESCRIPTORS: Final = 3
HIGHEST_DESCRIPTOR: Final = 65536

on_birth: Final[list[Callable[[str], object]]] = []
"""Called in each new child with its kind, before it works. One list for the process, since it is the process that is forked."""


class Child:
    """One running child. `poll` says when it is done, and how."""

    __slots__ = ("_pipe", "copied_bytes", "error", "kind", "pid", "progress", "started")

    def __init__(
        self,
        kind: str,
        work: Callable[[Progress], object],
        finish: Callable[[], object] | None = None,
        *,
        keys: int = 0,
    ) -> None:
        """Fork, and run `work` in the child, then `finish` if the parent lives. Raises OSError where the system refuses.

        `keys` is how many there are to be written, for `progress`.
        """
        self.kind: Final = kind
        self.progress: Final = Progress(keys)
        self.started: Final = time.time()
        self.error = ""
        self.copied_bytes = 0
        gc.freeze()
        self._pipe, report = os.pipe()
        parent = os.getpid()
        try:
            self.pid: Final = os.fork()
        except OSError:
            os.close(self._pipe)
            os.close(report)
            raise
        if not self.pid:
            _run(kind, lambda: work(self.progress), finish, report, parent)
        os.close(report)

    def poll(self) -> bool:
        """Whether the child has ended; then `error` says why it failed, if it did."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return False
        self._finish(status)
        return True

    def kill(self) -> None:
        """End the child now, and wait for that."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        _, status = os.waitpid(self.pid, 0)
        self._finish(status)

    @property
    def was_killed(self) -> bool:
        """Whether the parent ended it on purpose."""
        return self.error == "killed"

    def _finish(self, status: int) -> None:
        report = os.read(self._pipe, MAX_REPORT).decode(errors="replace")
        os.close(self._pipe)
        copied, _, error = report.partition(" ")
        self.copied_bytes = int(copied) if copied.isdigit() else 0
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGUSR1:
            self.error = "killed"
        elif code:
            self.error = error or f"the child ended with status {code}"


def _run(
    kind: str, work: Callable[[], object], finish: Callable[[], object] | None, report: int, parent: int
) -> None:
    """The child's whole life."""
    code = 1
    try:
        gc.disable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        os.closerange(KEPT_DESCRIPTORS, report)
        os.closerange(report + 1, HIGHEST_DESCRIPTOR)
        for hook in on_birth:
            hook(kind)
        work()
        if finish is not None and os.getppid() == parent:
            finish()
        os.write(report, b"%d " % private_bytes())
        code = 0
    except BaseException as error:  # noqa: BLE001 - nothing may escape into the parent's code
        reason = getattr(error, "strerror", None) or repr(error)
        os.write(report, f"0 {reason}".encode()[:MAX_REPORT])
    finally:
        os._exit(code)
