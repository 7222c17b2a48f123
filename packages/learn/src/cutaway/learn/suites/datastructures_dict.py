"""The contract of the keyspace's table: a mapping, bounded work for each write, and a scan that survives every change.

The mapping is compared with a builtin dict. The scan's guarantee needs no model but two sets: the keys that were there all
the time, and those that were there at any time. And "bounded" is counted, in lines of Python that run, since a clock would
say something else on each machine.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

from hypothesis import strategies as st

from cutaway.learn.lessons import Said, Scene
from cutaway.learn.rules import Suite
from cutaway.learn.steps import steps

suite: Final = Suite("datastructures.dict")


class Key(bytes):
    """A key whose hash is the same in every run, so that a verdict is too: Python salts the hashes of bytes."""

    __slots__ = ()

    def __hash__(self) -> int:
        return crc32(self)


keys = st.integers(0, 30).map(lambda n: Key(b"key:%d" % n))
Step = tuple[Any, ...]

MOST_SCAN_CALLS: Final = 5000
MOST_STEPS: Final = 2000
"""Lines that one write may run. A table that moves everything at once runs one line a key, at least."""


def name(n: int) -> Key:
    """The nth key."""
    return Key(b"key:%d" % n)


@suite.rule(
    "It behaves as a mapping does",
    "Set, get, remove, count. A key that is set twice is there once, one that was removed is gone, and pop() of a key that is not "
    "there raises KeyError, unless it is given a default.",
    steps=st.lists(
        st.tuples(st.just("set"), keys, st.integers(0, 9)) | st.tuples(st.sampled_from(["pop", "get"]), keys),
        max_size=12,
    ),
)
def mapping(part: Any, steps: list[Step]) -> None:
    model: dict[bytes, int] = {}
    with Scene() as scene:
        table = part()
        for step in steps:
            if step[0] == "set":
                scene.tell("set", f"{step[1]!r} = {step[2]}")
                table[step[1]] = model[step[1]] = step[2]
            elif step[0] == "pop":
                scene.tell("pop", f"{step[1]!r}, None")
                scene.expect(model.pop(step[1], None), table.pop(step[1], None))
            else:
                scene.tell("get", step[1])
                scene.expect(model.get(step[1]), table.get(step[1]))
            if len(table) != len(model):
                scene.fail("len() is wrong after this step.", expected=len(model), got=len(table))
        scene.tell("items", "all of them, sorted")
        scene.expect(sorted(model.items()), sorted(table.items()))
        scene.tell("pop", "a key that is not there, without a default")
        try:
            table.pop(Key(b"absent"))
        except KeyError:
            return
        scene.fail("pop() raised nothing; it should raise KeyError.")


@suite.rule(
    "It still does when it has grown to thousands of keys, and shrunk again",
    "Whatever the table does to make room, no key may be lost on the way, and none may be there twice.",
)
def growth(part: Any) -> None:
    with Scene() as scene:
        table = part()
        for n in range(3000):
            table[name(n)] = n
        scene.tell("set", "3000 keys, key:0 to key:2999")
        wrong = next((n for n in range(3000) if table.get(name(n)) != n), None)
        if wrong is not None:
            scene.fail(f"key:{wrong} was lost.", expected=wrong, got=table.get(name(wrong)))
        scene.expect(3000, sum(1 for _ in table.items()), "items() does not give each key once.")
        for n in range(2990):
            table.pop(name(n))
        scene.tell("pop", "key:0 to key:2989")
        scene.expect([(name(n), n) for n in range(2990, 3000)], sorted(table.items()))


@suite.rule(
    "A scan returns every key once, and comes back to 0",
    "scan(0) begins; what it returns as the cursor is given to the next call; when 0 comes back, everything was seen. The cursor is "
    "one integer, and the table remembers nothing about who is scanning.",
    count=st.integers(1, 20),
    size=st.sampled_from([0, 1, 2, 5, 17, 100, 300]),
    examples=40,
)
def quiet_scan(part: Any, count: int, size: int) -> None:
    with Scene() as scene:
        table = part()
        for n in range(size):
            table[name(n)] = n
        scene.tell("set", f"{size} keys")
        while table.rehash_step(100):
            pass
        scene.tell("scan", f"from 0 to the end, count={count}")
        seen = complete(table, 0, count, scene)
        once = sorted(name(n) for n in range(size))
        missing = sorted(set(once) - set(seen))
        if missing:
            scene.fail("Keys that were never returned.", expected=[], got=missing[:20])
        if len(seen) > len(once):
            scene.fail(
                "Nothing changed during the scan, yet some keys came twice.",
                expected=len(once),
                got=len(seen),
            )


def complete(table: Any, cursor: int, count: int, scene: Scene) -> list[bytes]:
    """Follow a scan to its end; the keys it returned."""
    seen: list[bytes] = []
    for _ in range(MOST_SCAN_CALLS):
        cursor, items = table.scan(cursor, count)
        seen += [key for key, _ in items]
        if cursor == 0:
            return seen
    scene.fail(f"The cursor did not come back to 0 in {MOST_SCAN_CALLS} calls.")
    return seen


@suite.rule(
    "One call of scan returns about as many items as it was asked for",
    "SCAN exists so that nobody has to wait: with COUNT 10 it must not walk over a million keys. Whole buckets may come, so a few "
    "more are fine.",
)
def modest_scan(part: Any) -> None:
    with Scene() as scene:
        table = part()
        for n in range(2000):
            table[name(n)] = n
        scene.tell("set", "2000 keys")
        scene.tell("scan", "0, count=10")
        _, items = table.scan(0, 10)
        if len(items) > 200:
            scene.fail(
                "That is too much at once.",
                expected=Said("about 10 items, at most 200"),
                got=Said(f"{len(items)} items"),
            )


class Story:
    """A table, what happens to it during one scan, and the books that are kept of it."""

    def __init__(self, table: Any, size: int, scene: Scene) -> None:
        self.table = table
        self.scene = scene
        self.present: set[Key] = set()
        self.ever: set[bytes] = set()
        self.seen: set[bytes] = set()
        self.cursor = 0
        self.begun = False
        self.add(0, size)
        self.constant = set(self.present)
        """The keys that were there from the start of the scan until now."""

    def add(self, first: int, count: int) -> None:
        """Add keys, by their numbers."""
        self.scene.tell("set", f"key:{first} to key:{first + count - 1}")
        for n in range(first, first + count):
            self.table[name(n)] = n
            self.present.add(name(n))
        self.ever |= self.present

    def remove(self, first: int, count: int) -> None:
        """Remove those of these keys that there are."""
        self.scene.tell("pop", f"key:{first} to key:{first + count - 1}, None")
        self._drop([name(n) for n in range(first, first + count)])

    def keep(self, count: int) -> None:
        """Remove all but so many keys."""
        self.scene.tell("pop", f"all but {count} keys")
        self._drop(sorted(self.present)[count:])

    def _drop(self, keys: list[Key]) -> None:
        for key in keys:
            self.table.pop(key, None)
            self.present.discard(key)
        self.constant &= self.present

    def rehash(self, buckets: int) -> None:
        """Let the table move some buckets, as a server with time to spare does."""
        self.scene.tell("rehash_step", str(buckets))
        self.table.rehash_step(buckets)

    def scan(self, count: int) -> None:
        """Take one step of the scan, unless it is over."""
        if self.begun and not self.cursor:
            return
        self.scene.tell("scan", f"{self.cursor}, count={count}")
        self.begun = True
        self.cursor, items = self.table.scan(self.cursor, count)
        self.scene.gave((self.cursor, Said(f"{len(items)} items")))
        self.seen |= {key for key, _ in items}

    def finish(self) -> None:
        """Follow the scan to its end, and look at the books."""
        if self.cursor or not self.begun:
            self.scene.tell("scan", f"{self.cursor}, and on to the end")
            self.seen |= set(complete(self.table, self.cursor, 5, self.scene))
        missed = sorted(self.constant - self.seen)
        if missed:
            remark = "These keys were there during the whole scan and were not returned."
            self.scene.fail(remark, expected=[], got=missed[:12])
        invented = sorted(self.seen - self.ever)
        if invented:
            self.scene.fail("These keys were returned and were never there.", expected=[], got=invented[:12])


changes = st.lists(
    st.tuples(st.just("scan"), st.integers(1, 8))
    | st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 300), st.integers(1, 120))
    | st.tuples(st.just("keep"), st.integers(1, 6))
    | st.tuples(st.just("rehash"), st.integers(1, 8)),
    min_size=1,
    max_size=12,
)


@suite.rule(
    "A key that is there all the time is returned, whatever happens to the table meanwhile",
    "Between two calls of SCAN the table may double, shrink, or be half way between two sizes. Keys may come twice; a key that "
    "stayed may not be missed. Counting the slots upwards fails here: think of which slot a key moves to when one more bit of its "
    "hash counts.",
    start=st.sampled_from([1, 20, 40, 100]),
    steps=changes,
    examples=250,
)
def scan_through_changes(part: Any, start: int, steps: list[Step]) -> None:
    with Scene() as scene:
        story = Story(part(), start, scene)
        for what, *numbers in steps:
            getattr(story, what)(*numbers)
        story.finish()


@suite.rule(
    "No single write does more than a bounded amount of work",
    "A table that doubles by moving all its keys at once makes one unlucky client wait for all of them: with ten million keys, "
    "for seconds. Move a bucket or two with every write instead; both tables are in use until the old one is empty.",
)
def bounded_writes(part: Any) -> None:
    with Scene() as scene:
        table = part()
        scene.tell("set", "8000 keys, one after the other")
        for n in range(8000):
            work = steps(lambda n=n: table.__setitem__(name(n), n), MOST_STEPS)  # type: ignore[misc]
            if work > MOST_STEPS:
                scene.fail(
                    f"Writing key:{n} ran more than {MOST_STEPS} lines of Python, with {n} keys in the table.",
                    expected=Said("some dozens of lines for each write"),
                    got=Said(f"more than {MOST_STEPS} for this one"),
                )
