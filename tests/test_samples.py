"""Every sample of Python in the documentation runs, and gives what the comment behind it says.

A page is one program: its samples run in the order in which they stand, and a later one may use what an earlier one made.
A comment behind an expression is a promise if it reads like a value (`# b'hello'`), or if the expression is an error: then
it is the error's text. Samples that begin with `>>>` are checked as doctests, and tests that a sample defines are run. A page that speaks to a server on its usual
port gets one, on another port.
"""

from __future__ import annotations

import ast
import doctest
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cutaway.testing import MissingServerError, ServerProcess, free_port

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USUAL = "127.0.0.1:6379"
SECONDS = 60


def samples(text: str) -> Iterator[tuple[int, str]]:
    """The samples of a page: (the line before the first, the text)."""
    for match in SAMPLE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1]


def pages() -> Iterator[Path]:
    """Every page that is written by hand and has a sample of Python in it."""
    written = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")]
    for path in sorted(written):
        if "tour" not in path.parts and any(samples(path.read_text(encoding="utf-8"))):
            yield path


class Promises(ast.NodeTransformer):
    """Puts `kept(value, comment)` in the place of each expression that has a comment behind it."""

    def __init__(self, source: str) -> None:
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        self.comments = {
            token.start[0]: token.string[1:].strip() for token in tokens if token.type == tokenize.COMMENT
        }

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        """The expression, or the call that holds it to its comment."""
        comment = self.comments.get(node.end_lineno or 0)
        if comment is None:
            return node
        call = ast.Call(ast.Name("__kept__", ast.Load()), [node.value, ast.Constant(comment)], [])
        return ast.fix_missing_locations(ast.copy_location(ast.Expr(call), node))


def kept(value: object, comment: str) -> None:
    """Hold a value beside what the comment behind it says, if that is a value at all."""
    if isinstance(value, Exception):
        assert str(value) == comment
        return
    try:
        promised = ast.literal_eval(comment)
    except (SyntaxError, ValueError):
        return
    assert value == promised


def run(source: str, name: str, first: int, names: dict[str, Any]) -> None:
    """Run one sample; `first` is the line before it, so that a traceback points into the page."""
    if source.startswith(">>>"):
        test = doctest.DocTestParser().get_doctest(source, names, name, name, first)
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append, clear_globs=False)
        names.update(test.globs)
        assert not report, "".join(report)
        return
    tree = Promises(source).visit(ast.parse(source))
    exec(compile(ast.increment_lineno(tree, first), name, "exec"), names)


@pytest.fixture
def usual_server() -> Iterator[str]:
    """The address of a server of ours, as a page writes it."""
    port = free_port()
    command = [sys.executable, "-m", "server", "--port", str(port), "--save", "", "--dir", "."]
    server = ServerProcess(command, ("127.0.0.1", port))
    yield f"127.0.0.1:{port}"
    server.kill()


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in pages()])
def test_the_samples_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if USUAL in "".join(source for _, source in samples(text)):
        text = text.replace(USUAL, request.getfixturevalue("usual_server"))
    names: dict[str, Any] = {"__name__": "sample", "__kept__": kept}
    for first, source in samples(text):
        try:
            run(source, page, first, names)
        except MissingServerError as error:
            pytest.skip(str(error))
    for name, test in names.items():
        if name.startswith("test_"):
            test()


def test_a_comment_that_reads_like_a_value_is_a_promise() -> None:
    names = {"__kept__": kept}
    run("1 + 1  # 2\n[\n    1,\n]  # [1]\n'a'  # some letter\n", "page", 0, names)
    with pytest.raises(AssertionError):
        run("1 + 1  # 3\n", "page", 0, names)
    with pytest.raises(AssertionError):
        run("with memoryview(b'a') as view:\n    view.tobytes()  # b'b'\n", "page", 0, names)
    with pytest.raises(AssertionError):
        run(">>> 1 + 1\n3\n", "page", 0, names)


def test_there_are_samples() -> None:
    assert len(list(pages())) > 10
