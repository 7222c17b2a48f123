"""The contract of matching a channel with a pattern: Redis's glob, its oddities included.

What is expected is what the house's own matcher says. A real server can be asked: it is given a subscriber, and says to how many a message
went.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from cutaway.config.glob import matches as house
from cutaway.learn.lessons import Scene
from cutaway.learn.rules import Suite
from cutaway.learn.steps import steps
from cutaway.resp import encode_request

suite: Final = Suite("pubsub.matching")

MOST_STEPS: Final = 200_000

letters = st.sampled_from(list(b"abc.-"))
texts = st.lists(letters, min_size=1, max_size=6).map(bytes)


def pattern_of(*elements: bytes) -> st.SearchStrategy[bytes]:
    """Patterns of these elements and single letters."""
    return st.lists(
        st.sampled_from(list(elements)) | st.sampled_from([b"a", b"b", b"c", b"."]), max_size=6
    ).map(b"".join)


def judge(part: Any, pattern: bytes, text: bytes) -> None:
    """Compare the reader's answer with ours."""
    with Scene(ask=question(pattern, text), ask_shows=1) as scene:
        scene.tell("pattern", pattern)
        scene.tell("text", text)
        expected = house(pattern, text)
        got = part(pattern, text)
        if bool(got) != expected:
            scene.mark("the pattern", pattern, *blame(pattern, text))
            scene.fail("", expected=expected, got=got)


def question(pattern: bytes, text: bytes) -> bytes:
    """Subscribe to the pattern and publish to the text, on one connection: RESP3 allows that. The last reply is how many got it."""
    requests = ([b"HELLO", b"3"], [b"PSUBSCRIBE", pattern], [b"PUBLISH", text, b"hi"])
    return b"".join(map(encode_request, requests))


def blame(pattern: bytes, text: bytes) -> tuple[int | None, str]:
    """The element of the pattern at which it stops to fit the text; none if the whole of it fits."""
    for end in range(1, len(pattern) + 1):
        is_class_open = pattern[:end].rfind(b"[") > pattern[:end].rfind(b"]")
        if pattern[end - 1 : end] == b"\\" or is_class_open:
            continue
        if not any(house(pattern[:end], text[:size]) for size in range(len(text) + 1)):
            return end - 1, f"no beginning of {text!r} fits up to here"
    return None, ""


@suite.rule(
    "A pattern without special bytes matches itself alone",
    "All of it: `news` does not match `news.weather`, nor the other way round.",
    pattern=texts,
    text=texts,
    same=st.booleans(),
    examples=60,
)
def literals(part: Any, pattern: bytes, text: bytes, same: bool) -> None:  # noqa: FBT001
    judge(part, pattern, pattern if same else text)


@suite.rule(
    "`?` is any one byte", "One, not none: `a?` does not match `a`.", pattern=pattern_of(b"?"), text=texts
)
def question_marks(part: Any, pattern: bytes, text: bytes) -> None:
    judge(part, pattern, text)


@suite.rule(
    "`*` is any bytes, or none",
    "Several may stand in a pattern, and none of them may settle too early: `*ab` matches `aab`, though the first `a` fits as well.",
    pattern=pattern_of(b"*", b"*", b"?"),
    text=texts,
    examples=150,
)
def stars(part: Any, pattern: bytes, text: bytes) -> None:
    judge(part, pattern, text)


@suite.rule(
    "A backslash takes the meaning from the byte after it",
    "`\\*` is a star and nothing else. At the very end of a pattern, with no byte after it, a backslash is a backslash.",
    pattern=pattern_of(b"\\*", b"\\?", b"\\a", b"\\[", b"\\\\", b"*", b"\\"),
    text=st.lists(st.sampled_from(list(b"ab*?[\\")), min_size=1, max_size=5).map(bytes),
    examples=150,
)
def escapes(part: Any, pattern: bytes, text: bytes) -> None:
    judge(part, pattern, text)


@suite.rule(
    "`[abc]` is one of these bytes, `[^abc]` one that is none of them, `[a-c]` one of a range",
    "A range may be written either way round. Within brackets only `\\`, `]` and `-` mean something, and `^` at the front.",
    pattern=pattern_of(b"[ab]", b"[^ab]", b"[a-c]", b"[c-a]", b"[^a-b]", b"[*?]", b"[.a]", b"*"),
    text=texts,
    examples=150,
)
def classes(part: Any, pattern: bytes, text: bytes) -> None:
    judge(part, pattern, text)


@suite.rule(
    "Brackets that are odd: escaped, empty, or never closed",
    "`[a\\]b]` holds a bracket. `[]` is a class of nothing and matches nothing. A class that is never closed ends with the pattern.",
    pattern=pattern_of(b"[a\\]b]", b"[]", b"[", b"[a", b"[^", b"[a-", b"[\\", b"]", b"[-a]"),
    text=st.lists(st.sampled_from(list(b"ab]-[")), min_size=1, max_size=4).map(bytes),
    examples=150,
)
def odd_classes(part: Any, pattern: bytes, text: bytes) -> None:
    judge(part, pattern, text)


@suite.rule(
    "An empty text is matched by the empty pattern alone",
    "Not even by `*`: Redis never looks at a pattern when there is no text left at the start. An oddity, and clients have come to rely on it.",
    pattern=st.sampled_from([b"", b"*", b"?", b"a", b"[]", b"\\"]),
    examples=12,
)
def empty_texts(part: Any, pattern: bytes) -> None:
    judge(part, pattern, b"")


@suite.rule(
    "No pattern is slow",
    "The textbook matcher tries every length for every star, and with ten stars that is more tries than there are atoms. One subscriber could stop the "
    "server with a pattern. When the part between two stars was found, no earlier star needs to be tried again.",
)
def no_explosion(part: Any) -> None:
    pattern, text = b"a*" * 12 + b"b", b"a" * 40
    with Scene() as scene:
        scene.tell("pattern", pattern)
        scene.tell("text", text)
        if steps(lambda: part(pattern, text), MOST_STEPS) > MOST_STEPS:
            scene.fail(f"More than {MOST_STEPS} lines of Python, and still no answer.", expected=False)
