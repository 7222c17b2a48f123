"""Hints: what may still be typed, worked out from the manual's syntax and the words that are there.

A command's syntax is a small grammar, and a hint is what remains of it once the words typed so far are taken away: after
``SET k v EX`` that is ``seconds [NX|XX] [GET]``. So the words are matched against the arguments from the left:

* a required argument has to match, or the line is no call of this command and there is nothing to hint;
* neighbouring optional arguments may come in any order, each once. The one begun last may have a rest of its own, which comes
  first; those not yet used follow;
* an argument that repeats matches as often as it can, and can always go on.

A word decides by its look alone (a number where a number is due, a token by its letters), so a value that looks like a
token is taken for a value: there is no going back. That is how redis-cli does it since version 7.2, whose hints these are, but
for a stray bracket that it leaves behind some repeated options.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cutaway.client.manual import Argument, Manual, body_of, syntax_of
from cutaway.resp.inline import split_inline

_NUMBER: Final = re.compile(r"\s*[-+]?\d")
_DOUBLE: Final = re.compile(r"\s*[-+]?(?:\d|\.\d|inf|nan)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"(?:^\[?|\|)([A-Z][A-Z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class _Match:
    """How many words an argument took, what of it remains to be typed, and whether it could end here."""

    used: int
    rest: tuple[str, ...] = ()
    is_complete: bool = True


def hint(manual: Manual, line: str) -> str:
    """What may follow `line`, to be shown right behind it; "" if nothing, or if nobody knows. O(words)."""
    rest = _rest_after(manual, line)
    if rest is None and not line.endswith(" "):
        rest = _rest_after(manual, line.rpartition(" ")[0])  # the last word may still become one that fits
    if not rest:
        return ""
    return " ".join(rest) if line.endswith(" ") else " " + " ".join(rest)


def tokens_after(manual: Manual, line: str) -> list[str]:
    """The fixed words, such as NX or WITHSCORES, that may come next after a line that ends with a blank."""
    tokens: list[str] = []
    for text in _rest_after(manual, line) or ():
        tokens += _TOKEN.findall(text)
        if not text.startswith("["):
            break
    return tokens


def _rest_after(manual: Manual, line: str) -> tuple[str, ...] | None:
    try:
        words = [word.decode("utf-8", "replace") for word in split_inline(line.encode())]
    except ValueError:
        return None
    page = manual.find(words)
    if page is None:
        return None
    words = words[len(page.words) :]
    match = _sequence(page.arguments, words)
    return match.rest if match is not None and match.used == len(words) else None


def _sequence(arguments: Sequence[Argument], words: Sequence[str]) -> _Match | None:
    """Match arguments one after the other."""
    used = 0
    position = 0
    while position < len(arguments):
        if used == len(words):
            return _unfinished(used, (), arguments[position:])
        end = position
        while end < len(arguments) and arguments[end].is_optional:
            end += 1
        if end > position:
            match, unused = _options(arguments[position:end], words[used:])
            position = end
        else:
            found = _argument(arguments[position], words[used:])
            if found is None:
                return None
            match, unused = found, []
            position += 1
        used += match.used
        if used == len(words):
            following = [*unused, *arguments[position:]]
            return _unfinished(used, match.rest, following, is_complete=match.is_complete)
    return _Match(used)


def _unfinished(
    used: int, rest: tuple[str, ...], following: Sequence[Argument], *, is_complete: bool = True
) -> _Match:
    """All words are used up: what remains is the rest of the last argument, and those that follow."""
    return _Match(
        used,
        (*rest, *(syntax_of(each) for each in following)),
        is_complete and all(each.is_optional for each in following),
    )


def _options(options: Sequence[Argument], words: Sequence[str]) -> tuple[_Match, list[Argument]]:
    """Match optional arguments in any order; give the options that are left, too."""
    used = 0
    last = _Match(0)
    unused = list(options)
    while used < len(words):
        for option in unused:
            match = _argument(option, words[used:])
            if match is not None:
                break
        else:
            break
        last = match
        used += match.used
        unused.remove(option)
    return _Match(used, last.rest, last.is_complete), unused


def _argument(argument: Argument, words: Sequence[str]) -> _Match | None:
    """Match one argument, as often as it may repeat."""
    match = _once(argument, words, with_token=argument.token is not None)
    if match is None or not argument.is_multiple:
        return match
    used = match.used
    while match.is_complete and used < len(words):
        again = _once(argument, words[used:], with_token=argument.repeats_token)
        if again is None:
            break
        match = again
        used += match.used
    token = f"{argument.token} " if argument.repeats_token else ""
    repetition = f"[{token}{body_of(argument)} ...]"
    return _Match(used, (*match.rest, repetition), match.is_complete)


def _once(argument: Argument, words: Sequence[str], *, with_token: bool) -> _Match | None:
    """Match one argument one time; there is at least one word."""
    if not with_token:
        return _body(argument, words)
    if argument.token is None or words[0].upper() != argument.token.strip('"').upper():
        return None
    if argument.type == "pure-token":
        return _Match(1)
    if len(words) == 1:
        return _Match(1, (body_of(argument),), is_complete=False)
    match = _body(argument, words[1:])
    return match and _Match(1 + match.used, match.rest, match.is_complete)


def _body(argument: Argument, words: Sequence[str]) -> _Match | None:
    match argument.type:
        case "block":
            return _sequence(argument.children, words)
        case "oneof":
            found = (_argument(child, words) for child in argument.children)
            return next((each for each in found if each is not None), None)
        case "integer" | "unix-time":
            return _Match(1) if _NUMBER.match(words[0]) else None
        case "double":
            return _Match(1) if _DOUBLE.match(words[0]) else None
        case _:
            return _Match(1)
