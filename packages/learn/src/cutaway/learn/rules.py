"""A suite is a list of rules: sentences that hold of any right implementation, each with a test that looks for a counter-example.

    suite = Suite("resp.parser")

    @suite.rule("A request may be cut anywhere", "TCP is a stream ...", sent=requests, places=cuts)
    def cut_anywhere(part, sent, places):
        with Scene() as scene:
            ...

A rule that names strategies is tried on what Hypothesis draws from them, a few hundred times, and a failure is shrunk; a rule
without runs once. The order of rules is the order in which a reader would build the part, and the check stops at the first
that is broken: the next lesson is worth nothing before this one is learned.

Draws are derandomized: the same code gets the same verdict, today and tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

EXAMPLES: Final = 120

Test = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence of a contract, why it is there, and the test that tries to break it."""

    title: str
    why: str
    test: Test
    strategies: dict[str, st.SearchStrategy[Any]]
    examples: int

    def run(self, part: Any, effort: float = 1.0) -> None:
        """Try to break the rule with `part`. Raises Wrong with the smallest counter-example that was found.

        `effort` says how many of the examples are tried: 0.5 for half of them.
        """
        if not self.strategies:
            self.test(part)
            return

        @settings(
            max_examples=max(int(self.examples * effort), 1),
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
            ],
            report_multiple_bugs=False,
            verbosity=Verbosity.quiet,
        )
        @given(st.fixed_dictionaries(self.strategies))
        def holds(drawn: dict[str, Any]) -> None:
            self.test(part, **drawn)

        holds()


@dataclass(slots=True)
class Suite:
    """The rules of one exercise, in the order in which they are checked."""

    name: str
    rules: list[Rule] = field(default_factory=list)

    def rule(
        self, title: str, why: str, *, examples: int = EXAMPLES, **strategies: st.SearchStrategy[Any]
    ) -> Callable[[Test], Test]:
        """Add the decorated function, which takes the reader's part and what the strategies draw."""

        def add(test: Test) -> Test:
            self.rules.append(Rule(title, why, test, strategies, examples))
            return test

        return add
