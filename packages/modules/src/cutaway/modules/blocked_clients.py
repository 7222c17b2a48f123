"""Clients that wait for a module.

A command's function that cannot answer yet says `waiting = ctx.block(timeout)`, gives `waiting` to whoever will know the
answer, and returns it. The client then waits as one in BLPOP does: its further requests are kept, CLIENT LIST shows it as
blocked, CLIENT UNBLOCK ends it. One of four things happens next, and the three that come too late do nothing:

* `reply(answer)`, from a function of the module's;
* `unblock(data)`, from any thread: what the client gets is what `on_reply` makes of the data, where the engine lives;
* the time is over, and the client gets what `on_timeout` answers, or nil;
* the client goes, and `on_disconnect` is told.

In a transaction or a script nobody can wait: `ctx.block` raises the error that Redis has for that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cutaway.commands import Block, Client, CommandError, Database
from cutaway.modules.replies import check
from cutaway.resp import Reply

if TYPE_CHECKING:
    from cutaway.modules.contexts import Context
    from cutaway.modules.loaded import LoadedModule

OnReply = Callable[["Context", Any], Reply]
OnTimeout = Callable[["Context"], Reply]
OnDisconnect = Callable[["Context"], None]


class BlockedClient:
    """A client that waits for a module's answer. The command's function returns it, and somebody answers later."""

    __slots__ = (
        "_answer", "_client", "_has_begun", "_is_over", "_loaded", "_on_disconnect", "_on_reply",
        "_on_timeout", "block",
    )  # fmt: skip

    def __init__(
        self,
        loaded: LoadedModule,
        client: Client,
        deadline: int,
        on_reply: OnReply | None,
        on_timeout: OnTimeout | None,
        on_disconnect: OnDisconnect | None,
    ) -> None:
        self._loaded: Final = loaded
        self._client: Final = client
        self._on_reply: Final = on_reply
        self._on_timeout: Final = on_timeout
        self._on_disconnect: Final = on_disconnect
        self._answer: Reply = None
        self._has_begun = False
        self._is_over = False
        self.block: Final = Block((), deadline, _never, on_timeout=self._timed_out)
        """What the engine is told."""

    @property
    def is_waiting(self) -> bool:
        """Whether an answer would still be heard."""
        waiting = self._client.blocked
        return not self._is_over and (
            not self._has_begun or (waiting is not None and waiting.block is self.block)
        )

    def reply(self, answer: Reply) -> bool:
        """Answer; False if the client has gone, or has had its answer, or its time was over. Raises TypeError for no reply."""
        check(answer)
        was_waiting = self.is_waiting  # CLIENT UNBLOCK may have ended it
        self._end()
        if was_waiting and self._has_begun:
            self._client.engine.blocking.unblock(self._client, answer)
        elif was_waiting:
            self._answer = answer  # the function has not returned yet: there is nothing to wait for
        return was_waiting

    def unblock(self, data: Any = None) -> None:
        """Let the client have what `on_reply` makes of `data`, or `data` itself. Safe from any thread."""
        self._loaded.host.post(partial(self._unblocked, data))

    def outcome(self) -> Reply | Block:
        """What the engine is told when the command's function has returned this."""
        if self._is_over:
            return self._answer
        self._has_begun = True
        self._client.on_close.append(self._gone)
        return self.block

    def _unblocked(self, data: Any) -> None:
        if self._is_over:
            return
        answer = data
        try:
            if self._on_reply is not None:
                with self._client.engine.unit():
                    answer = self._loaded.guard(self._on_reply, self._context(), data)
            else:
                self._loaded.guard(lambda _context: data, self._context())
        except CommandError as error:
            answer = error
        self.reply(answer)

    def _timed_out(self) -> Reply:
        self._end()
        if self._on_timeout is None:
            return None
        try:
            answer: Reply = self._loaded.guard(self._on_timeout, self._context())
        except CommandError as error:
            return error
        return answer

    def _gone(self, _client: Client) -> None:
        if not self._is_over:
            self._end()
            if self._on_disconnect is not None:
                self._loaded.happen(self._on_disconnect)

    def _end(self) -> None:
        self._is_over = True
        if self._gone in self._client.on_close:
            self._client.on_close.remove(self._gone)

    def _context(self) -> Context:
        return self._loaded.context(self._client)


def _never(_database: Database, _key: bytes) -> bool:
    """No key's change ends this waiting."""
    return False
