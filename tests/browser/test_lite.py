"""The notebooks in a page: a kernel that needs no install."""

from __future__ import annotations

import pytest

from .conftest import SITE

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (SITE / "lite/index.html").exists(),
        reason="JupyterLite is not part of the site that was built last; `uv run nox -s playground` builds it in",
    ),
]


def test_a_notebook_runs_and_draws(page, site):
    page.set_default_timeout(300_000)
    page.goto(f"{site}lite/notebooks/index.html?path=05_sorted_sets.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(8):  # from cell to cell: what is out of sight is not part of the page
        page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".jp-OutputArea .cutaway-viz", state="attached")
    assert not [
        text for text in page.locator(".jp-OutputArea-output").all_inner_texts() if "Traceback" in text
    ]
