"""How much of a stream is to be kept: the trimming options of XADD and XTRIM.

A stream is trimmed to a length (MAXLEN) or from an ID on (MINID), and in one of two ways. *Exactly* (`=`, the default) means
what it says, and turns entries of the first remaining node into tombstones. *Approximately* (`~`) drops whole nodes only, which costs
next to nothing, and no more than LIMIT entries at a time, so that nobody waits for it.

An approximate trimming depends on where the nodes begin, and so on the history and the settings of this very server. What is
propagated is therefore its result, as an exact trimming: to the length that is left, or from the first ID that is left. LIMIT, which
goes with `~` only, is left out of that, so that anybody can run it. (Redis leaves it in, and makes an exception for its own log.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cutaway.commands import arguments, errors
from cutaway.commands.stream_ids import format_id, parse_strict
from cutaway.datastructures import Stream
from cutaway.datastructures.stream_nodes import StreamID

BOTH_STRATEGIES: Final = errors.CommandError(
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
)
NEGATIVE_MAXLEN: Final = errors.CommandError("ERR The MAXLEN argument must be >= 0.")
NEGATIVE_LIMIT: Final = errors.CommandError("ERR The LIMIT argument must be >= 0.")
LIMIT_ALONE: Final = errors.CommandError(
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
)
LIMIT_OF_EXACT: Final = errors.CommandError(
    "ERR syntax error, LIMIT cannot be used without the special ~ option"
)
NO_STRATEGY: Final = errors.CommandError("ERR syntax error, XTRIM must be called with a trimming strategy")

NODES_AT_ONCE: Final = 100
"""An approximate trimming without LIMIT stops after about so many nodes."""


class Trimming:
    """The options of XADD and XTRIM, as far as they were given."""

    __slots__ = ("approximate", "limit", "maxlen", "minid", "nomkstream")

    def __init__(self) -> None:
        self.maxlen: int | None = None
        self.minid: StreamID | None = None
        self.approximate = False
        self.limit: int | None = None
        self.nomkstream = False

    @property
    def wanted(self) -> bool:
        """Whether anything is to be trimmed."""
        return self.maxlen is not None or self.minid is not None

    def parse(self, words: Sequence[bytes], *, of_xadd: bool) -> int:
        """Read the options at the head of `words`; the position after them.

        For XADD that is the position of the ID, for XTRIM the end. Raises what is wrong with an option.
        """
        position = 0
        while position < len(words):
            option = words[position].lower()
            if option in (b"maxlen", b"minid") and position + 1 < len(words):
                position = self._parse_strategy(option, words, position + 1)
            elif option == b"limit" and position + 1 < len(words):
                self.limit = arguments.integer(words[position + 1])
                if self.limit < 0:
                    raise NEGATIVE_LIMIT
                position += 2
            elif of_xadd and option == b"nomkstream":
                self.nomkstream = True
                position += 1
            elif of_xadd:
                break
            else:
                raise errors.SYNTAX
        return position

    def _parse_strategy(self, option: bytes, words: Sequence[bytes], position: int) -> int:
        if self.wanted:
            raise BOTH_STRATEGIES
        self.approximate = False
        if words[position] in (b"~", b"=") and position + 1 < len(words):
            self.approximate = words[position] == b"~"
            position += 1
        if option == b"minid":
            self.minid = parse_strict(words[position])
        else:
            self.maxlen = arguments.integer(words[position])
            if self.maxlen < 0:
                raise NEGATIVE_MAXLEN
        return position + 1

    def check(self, *, of_xadd: bool) -> None:
        """Raise what is wrong with the options together."""
        if self.limit and not self.wanted:
            raise LIMIT_ALONE
        if not of_xadd and not self.wanted:
            raise NO_STRATEGY
        if self.limit is not None and not self.approximate:
            raise LIMIT_OF_EXACT

    def apply(self, stream: Stream) -> int:
        """Trim; the number of entries that went. O(nodes dropped), O(entries) within one node."""
        limit = 0
        if self.approximate:
            limit = (
                _default_limit(stream.limits.stream_node_max_entries) if self.limit is None else self.limit
            )
        if self.maxlen is not None:
            return stream.trim_by_length(self.maxlen, approx=self.approximate, limit=limit)
        assert self.minid is not None
        return stream.trim_by_id(self.minid, approx=self.approximate, limit=limit)

    def effect(self, stream: Stream) -> tuple[bytes, ...]:
        """The options that make the same of a stream of the same entries, after `apply`; none if nothing was to be done."""
        if self.maxlen is not None:
            return b"MAXLEN", b"=", b"%d" % (stream.length if self.approximate else self.maxlen)
        if self.minid is not None:
            return b"MINID", b"=", format_id(stream.edge_id() if self.approximate else self.minid)
        return ()


def _default_limit(node_max_entries: int) -> int:
    limit = NODES_AT_ONCE * node_max_entries
    return min(limit, 1_000_000) if limit > 0 else 10_000
