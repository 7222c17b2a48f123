"""The contract of WATCH: EXEC runs if nothing that was watched has been touched, and not otherwise.

The reader's record is put into a whole engine with a clock that stands still, and so is ours into a second one. Both are given the same
commands by the same clients, and must answer the same at every step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

from cutaway.commands import Client, Engine, FakeClock
from cutaway.commands.connections import connections
from cutaway.commands.counters import counters
from cutaway.commands.generic import generic
from cutaway.commands.server_commands import server_commands
from cutaway.commands.strings import strings
from cutaway.learn.lessons import Scene
from cutaway.learn.rules import Suite
from cutaway.transactions import Watches, install, transactions

suite: Final = Suite("transactions.watch")

Step = tuple[str, str]
CLIENTS: Final = "ab"
TABLES: Final = (strings, counters, generic, connections, server_commands, transactions)


class EscapeError(BaseException):
    """An exception of the reader's on its way out; no Exception, or the engine would answer it with an error reply."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


METHODS: Final = ("prepare", "watch_key", "forget", "changed", "is_touched_for")


def guarded(part: Any) -> Any:
    """The reader's class, but what its methods raise gets through the engine."""

    def guard(name: str) -> Callable[..., Any]:
        method = getattr(part, name)

        def call(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a lesson
                raise EscapeError(error) from None

        return call

    return type(part.__name__, (part,), {name: guard(name) for name in METHODS if hasattr(part, name)})


class House:
    """An engine with a record of watches in it, its clock, and two clients."""

    def __init__(self, part: Any) -> None:
        self.clock = FakeClock()
        self.engine = Engine(*TABLES, clock=self.clock, databases=2)
        install(self.engine, part)
        self.clients: dict[str, Client] = {}

    def act(self, step: Step) -> Any:
        """Take one step: let time pass, or send a client's command. Its reply."""
        who, what = step
        if who == "time":
            self.clock.advance(int(what))
            return None
        if who not in self.clients:
            self.clients[who] = self.engine.connect()
        if what == "QUIT":
            self.engine.forget(self.clients.pop(who))
            return None
        self.engine.tick()
        try:
            return self.engine.execute(self.clients[who], what.encode().split())
        except EscapeError as escaped:
            raise escaped.error from None


def judge(part: Any, steps: list[Step]) -> None:
    """Let both engines go through the story."""
    ours = House(Watches)
    with Scene() as scene:
        theirs = House(guarded(part))
        for number, step in enumerate(steps):
            if step[0] == "time":
                scene.tell("time", f"{step[1]} ms pass")
                theirs.act(step)
                ours.act(step)
                continue
            scene.tell(f"client {step[0]}", step[1])
            scene.lesson.story = steps[: number + 1]
            expected = ours.act(step)
            got = theirs.act(step)
            if expected is not None or got is not None:
                scene.gave(got)
            if got != expected:
                if step[1] == "EXEC":
                    ran = "It ran, though something that was watched had been touched." if isinstance(got, list) else (
                        "It did not run, though nothing that was watched has been touched."
                    )  # fmt: skip
                    scene.fail(ran, expected=expected, got=got)
                scene.fail("", expected=expected, got=got)


def story(*middle: Step) -> list[Step]:
    """A client watches k, something happens, and it runs a transaction."""
    return [("a", "SET k 1"), ("a", "WATCH k"), *middle, ("a", "MULTI"), ("a", "PING"), ("a", "EXEC")]


@suite.rule(
    "A transaction runs if nothing was touched, and does not if something was",
    "WATCH k, then MULTI and EXEC. If anybody has changed k in between, the client itself among them, EXEC answers null and runs nothing; reading k, or "
    "changing another key, is no reason.",
    middle=st.lists(
        st.sampled_from([("b", "SET k 2"), ("b", "GET k"), ("b", "SET other 1"), ("a", "SET k 1"), ("b", "DEL k"), ("b", "INCR k"), ("b", "DEL other")]),
        max_size=3,
    ),
    examples=60,
)  # fmt: skip
def touched_or_not(part: Any, middle: list[Step]) -> None:
    judge(part, story(*middle))


@suite.rule(
    "A key that does not exist can be watched too",
    "That nobody has created it since is what a client wants to know that is about to create it. And a key that was deleted and set again to the same value "
    "has been touched: the record marks, it does not compare.",
    middle=st.lists(
        st.sampled_from([("b", "SET new 1"), ("b", "DEL new"), ("b", "INCR new"), ("b", "GET new"), ("b", "SETNX new 1")]), max_size=3
    ),
    examples=40,
)  # fmt: skip
def missing_keys(part: Any, middle: list[Step]) -> None:
    judge(part, [("a", "WATCH new"), *middle, ("a", "MULTI"), ("a", "PING"), ("a", "EXEC")])


ends = st.sampled_from([("a", "UNWATCH"), ("a", "DISCARD"), ("a", "EXEC"), ("a", "RESET")])
everything = st.lists(
    st.sampled_from(
        [(who, what) for who in CLIENTS for what in
         ("WATCH k", "WATCH j k", "UNWATCH", "MULTI", "EXEC", "DISCARD", "SET k 1", "DEL k", "SET j 2", "PING", "QUIT")]
    ),
    max_size=14,
)  # fmt: skip


@suite.rule(
    "UNWATCH, DISCARD, EXEC and the end of a connection forget, for that client alone",
    "What was touched before an UNWATCH does not count after it. Clients are independent: two may watch the same key, and one of them leaving takes nothing "
    "from the other.",
    first=everything,
    end=ends,
    then=everything,
    examples=120,
)
def forgetting(part: Any, first: list[Step], end: Step, then: list[Step]) -> None:
    judge(part, [("a", "WATCH k"), *first, end, *then, *story()[3:], ("b", "MULTI"), ("b", "EXEC")])


@suite.rule(
    "Databases have keys of the same name, and FLUSHALL and SWAPDB touch many at once",
    "A watched key is a name in a database. Emptying a database touches what was in it; a watched key that was not there stays untouched.",
    middle=st.lists(
        st.sampled_from(
            [("b", "SELECT 1"), ("b", "SELECT 0"), ("b", "SET k 2"), ("b", "FLUSHALL"), ("b", "FLUSHDB"), ("b", "SWAPDB 0 1"), ("a", "WATCH gone")]
        ),
        max_size=4,
    ),
    examples=60,
)  # fmt: skip
def databases(part: Any, middle: list[Step]) -> None:
    judge(part, story(*middle))


@suite.rule(
    "A key whose time runs out after WATCH has been touched",
    "An expired key stays in memory until somebody looks at it, so nobody may have said that it changed. EXEC has to look at the clock itself: "
    "`self.is_over(place)`.",
    middle=st.lists(st.sampled_from([("time", "5"), ("time", "20"), ("b", "GET k"), ("b", "PERSIST k"), ("b", "PEXPIRE k 10")]), max_size=4),
    examples=60,
)  # fmt: skip
def expiring_keys(part: Any, middle: list[Step]) -> None:
    judge(
        part,
        [("a", "SET k 1 PX 10"), ("a", "WATCH k"), *middle, ("a", "MULTI"), ("a", "PING"), ("a", "EXEC")],
    )


@suite.rule(
    "A key whose time was over before WATCH was gone from the start",
    "Its remains may still lie in memory when it is watched. That they are removed later, because somebody asks for the key, changes nothing for this client; "
    "that somebody sets it anew does.",
    middle=st.lists(st.sampled_from([("b", "GET k"), ("b", "SET k 2"), ("b", "EXISTS k"), ("b", "SETNX k 3"), ("b", "DEL k"), ("time", "5")]), max_size=4),
    between=st.sampled_from([("time", "20"), ("time", "3")]),
    examples=60,
)  # fmt: skip
def stale_keys(part: Any, middle: list[Step], between: Step) -> None:
    judge(
        part,
        [
            ("b", "SET k 1 PX 10"),
            between,
            ("a", "WATCH k"),
            *middle,
            ("a", "MULTI"),
            ("a", "PING"),
            ("a", "EXEC"),
        ],
    )
