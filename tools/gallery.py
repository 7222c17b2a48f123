"""A hook of mkdocs: on a page whose head says `pictures: true`, the Python samples are run and their pictures shown.

All samples of a page share one namespace, from the top down, as the cells of a notebook do. Below a sample
stands every picture that is a line of it by itself. So the page shows what the package draws today, and a
sample that fails ends the build.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from cutaway.viz import Picture

SAMPLE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Put the pictures below their samples; mkdocs calls this for every page."""
    if not page.meta.get("pictures"):
        return markdown
    names: dict[str, Any] = {}
    return SAMPLE.sub(lambda sample: "\n\n".join([sample[0], *run(sample[1], names)]), markdown)


def run(source: str, names: dict[str, Any]) -> list[str]:
    """Run a sample; return the markup of every expression statement that is a picture."""
    shown = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr):
            value = eval(compile(ast.Expression(statement.value), "<sample>", "eval"), names)  # noqa: S307 - ours
            if isinstance(value, Picture):
                shown.append(f"{value.html}\n")
        else:
            exec(compile(ast.Module([statement], []), "<sample>", "exec"), names)  # noqa: S102 - ours
    return shown
