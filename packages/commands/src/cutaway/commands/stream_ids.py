"""The IDs of stream entries, as clients write them.

An ID is two unsigned 64-bit numbers, `<milliseconds>-<sequence>`. Clients may leave parts of it out, and what the missing part
means depends on the command and on the place:

=============  =====================================================================================
`5`            the sequence is 0; in the end of a range it is the greatest one
`5-*`          XADD only: the next sequence that is free in that millisecond
`-` and `+`    the smallest and the greatest ID there can be; where an ID has to name an entry (XADD,
               XACK, XDEL ...) they are errors: such an ID is called *strict*
`(5-1`         in a range: not this one, but the next, or the one before
=============  =====================================================================================

`$`, `>` and `*` are no IDs but words of single commands, and are told there.

Redis reads the numbers with C's `strtoull`, which also takes blanks before a number, a plus sign, and (after a blank) a minus that
wraps around; and it reads C strings, which end at a zero byte. The slow path here does the same.
"""

from __future__ import annotations

import re
from typing import Final

from cutaway.commands import errors
from cutaway.datastructures.stream_nodes import MAX_ID, MIN_ID, UINT64_MAX, StreamID
from cutaway.datastructures.streams import next_id, previous_id

INVALID_ID: Final = errors.CommandError("ERR Invalid stream ID specified as stream command argument")
INVALID_START: Final = errors.CommandError("ERR invalid start ID for the interval")
INVALID_END: Final = errors.CommandError("ERR invalid end ID for the interval")

MAX_TEXT: Final = 127
_STRTOULL: Final = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


def format_id(entry_id: StreamID) -> bytes:
    """The ID as commands answer it: `<ms>-<seq>`."""
    return b"%d-%d" % entry_id


def _number(text: bytes) -> int:
    """An unsigned 64-bit number."""
    if text.isdigit():
        value = int(text)
    else:
        match = _STRTOULL.fullmatch(text)
        if match is None or (text[0] == ord("-") and text != b"-0"):
            raise INVALID_ID
        value = int(match[2])
        if match[1] == b"-" and value <= UINT64_MAX:
            value = -value & UINT64_MAX
    if value > UINT64_MAX:
        raise INVALID_ID
    return value


def parse_strict(text: bytes, missing: int = 0) -> StreamID:
    """A strict ID; `missing` is the sequence where the text has none. Raises INVALID_ID."""
    ms, dash, seq = text.partition(b"-")
    if ms.isdigit() and len(text) < 40 and (seq.isdigit() if dash else not seq):
        entry_id = int(ms), int(seq) if dash else missing
        if entry_id[0] <= UINT64_MAX and entry_id[1] <= UINT64_MAX:
            return entry_id
        raise INVALID_ID
    if len(text) > MAX_TEXT:
        raise INVALID_ID
    ms, dash, seq = text.partition(b"\0")[0].partition(b"-")
    return _number(ms), _number(seq) if dash else missing


def parse_id(text: bytes, missing: int = 0) -> StreamID:
    """As `parse_strict`, but `-` and `+` are the smallest and the greatest ID."""
    if text == b"-":
        return MIN_ID
    if text == b"+":
        return MAX_ID
    return parse_strict(text, missing)


def parse_new(text: bytes) -> tuple[StreamID, bool]:
    """The ID that XADD is given, and whether its sequence is; it is not in `<ms>-*`. Raises INVALID_ID."""
    if text.endswith(b"-*") and len(text) <= MAX_TEXT:
        ms = text[:-2]
        if b"-" not in ms and b"\0" not in ms:
            return (_number(ms), 0), False
    return parse_strict(text), True


def parse_start(text: bytes) -> StreamID:
    """The start of a range, "(" for an open one. Raises INVALID_ID, or INVALID_START where nothing can follow."""
    if len(text) < 2 or text[0] != ord("("):
        return parse_id(text)
    following = next_id(parse_strict(text[1:]))
    if following is None:
        raise INVALID_START
    return following


def parse_end(text: bytes) -> StreamID:
    """The end of a range, "(" for an open one. Raises INVALID_ID, or INVALID_END where nothing can precede."""
    if len(text) < 2 or text[0] != ord("("):
        return parse_id(text, UINT64_MAX)
    preceding = previous_id(parse_strict(text[1:], UINT64_MAX))
    if preceding is None:
        raise INVALID_END
    return preceding
