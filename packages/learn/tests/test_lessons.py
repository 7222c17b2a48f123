"""What a failure says: the input, the byte, both sides, the line; and what it never is, a traceback."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cutaway.learn import Verdict, check
from cutaway.learn.carets import spell
from cutaway.learn.desk import UnreadableError, load, own_tests
from cutaway.learn.lessons import MANNERS, Endless, Said, Scene, Wrong, same
from cutaway.learn.solutions import persistence_aof_replay, resp_parser
from cutaway.learn.verdicts import marked_text

from .mistakes import SearchesForLineEnds


def printed(verdict: Verdict, width: int = 80) -> str:
    out = StringIO()
    Console(file=out, width=width).print(verdict)
    return out.getvalue()


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    return check("resp.parser", SearchesForLineEnds, ask=False)


def test_a_lesson_has_the_smallest_input_and_a_caret_under_the_first_wrong_byte(verdict: Verdict) -> None:
    assert verdict.lesson is not None
    (marked,) = verdict.lesson.marked
    assert len(marked.data) < 25, "the input was shrunk"
    assert marked.at is not None
    lines = marked_text(marked, 80).splitlines()
    assert lines[2].index("^") == 2 + sum(len(spell(byte)) for byte in marked.data[: marked.at])


def test_a_lesson_shows_what_was_expected_and_what_came(verdict: Verdict) -> None:
    text = printed(verdict)
    assert "expected" in text
    assert "got" in text
    assert "A payload is as long as its header says" in text
    assert "7 more rules after that" in text or "8 more rules after that" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_verdict_fits_the_terminal(verdict: Verdict, width: int) -> None:
    assert max(map(len, printed(verdict, width).splitlines())) <= width


def test_a_verdict_in_a_notebook_says_the_same_and_escapes_what_the_reader_wrote(verdict: Verdict) -> None:
    html = verdict._repr_html_()
    for words in (verdict.broken, "expected", "got", "✓", "✗"):
        assert words in html
    verdict.subject = "<script>"
    assert "<script>" not in verdict._repr_html_()


def test_an_exception_in_the_part_names_its_line() -> None:
    class Divides:
        def __init__(self, limits: object) -> None:
            pass

        def feed(self, data: bytes) -> list[list[bytes]]:
            return 1 / 0  # type: ignore[return-value]

    lesson = check("resp.parser", Divides, ask=False).lesson
    assert lesson is not None
    assert lesson.remark == "Your code raised ZeroDivisionError: division by zero"
    assert lesson.place is not None
    assert lesson.place.text.startswith("return 1 / 0")


def test_a_part_without_the_method_is_told_so() -> None:
    class Empty:
        def __init__(self, limits: object) -> None:
            pass

    lesson = check("resp.parser", Empty, ask=False).lesson
    assert lesson is not None
    assert "has no attribute 'feed'" in lesson.remark


def test_a_loop_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MANNERS, "patience", 0.2)

    def turns_round(data: bytes) -> Any:
        while True:
            pass

    lesson = check("persistence.aof-replay", turns_round, ask=False).lesson
    assert lesson is not None
    assert "a loop without an end" in lesson.remark
    assert lesson.place is not None
    assert lesson.place.text in ("while True:", "pass")


def test_what_the_part_prints_is_shown_once_for_the_smallest_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Chatty(SearchesForLineEnds):
        def feed(self, data: bytes) -> list[list[bytes]]:
            print("here", len(data))  # noqa: T201 - what a reader does while looking for a mistake
            return super().feed(data)

    lesson = check("resp.parser", Chatty, ask=False).lesson
    assert lesson is not None
    assert lesson.printed.startswith("here ")
    assert capsys.readouterr().out == ""


def test_a_verdict_at_a_prompt_is_what_a_terminal_shows(verdict: Verdict) -> None:
    assert repr(verdict).rstrip() == printed(verdict, 80).rstrip()


def test_a_handler_of_alarms_is_left_as_it_was() -> None:
    signal = pytest.importorskip("signal")
    before = signal.getsignal(signal.SIGALRM)
    check("persistence.aof-replay", persistence_aof_replay.replay, ask=False, effort=0.05)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_part_that_remembers_across_instances_is_told_so() -> None:
    class Shares(resp_parser.Parser):
        shared: list[int] = []  # noqa: RUF012 - the mistake

        def feed(self, data: bytes) -> list[list[bytes]]:
            self.shared.append(1)
            return [] if len(self.shared) == 30 else super().feed(data)

    lesson = check("resp.parser", Shares, ask=False).lesson
    assert lesson is not None
    assert "two different results" in lesson.remark


def test_the_readers_own_test_shows_both_sides(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def test_sum() -> None:\n    got = 1 + 1\n    assert got == 3\n")
    verdict = check("resp.parser", resp_parser.Parser, ask=False, tests=own_tests(load(file)))
    assert verdict.broken == "The tests in your own file pass"
    assert verdict.lesson is not None
    assert (verdict.lesson.got, verdict.lesson.expected) == ("2", "3")
    assert verdict.lesson.told[0] == ("test", "test_sum()")
    assert verdict.lesson.place is not None
    assert verdict.lesson.place.line == 3


@pytest.mark.parametrize(
    ("source", "remark", "line"),
    [
        ("x = 1\ndef f(:\n    pass\n", "Python cannot read your file", 2),
        ("x = 1\n\nimport nothing_of_this_name\n", "ModuleNotFoundError", 3),
    ],
)
def test_a_file_that_cannot_be_imported_is_a_lesson(
    tmp_path: Path, source: str, remark: str, line: int
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(source)
    with pytest.raises(UnreadableError) as caught:
        load(file)
    assert remark in caught.value.lesson.remark
    assert caught.value.lesson.place is not None
    assert caught.value.lesson.place.line == line


def test_values_are_the_same_if_their_types_are() -> None:
    assert same([b"a", None], [b"a", None])
    assert not same([b"a"], [bytearray(b"a")])
    assert not same(1, True)
    assert not same([1], (1,))


def test_a_scene_lets_nothing_but_lessons_out() -> None:
    with pytest.raises(Wrong, match="Your code raised KeyError"), Scene():
        raise KeyError("k")
    with pytest.raises(Wrong, match="expected 1, got 2"), Scene() as scene:
        scene.expect(1, 2)
    with pytest.raises(Wrong) as caught, Scene() as scene:
        scene.fail("", expected=Said("a word"))
    assert caught.value.lesson.expected == "a word"
    assert not issubclass(Endless, Exception), "nothing may swallow it on its way"
