"""The playground, used as a reader uses it."""

from __future__ import annotations

import pytest

from .conftest import SITE

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (SITE / "assets/playground/vendor/packages.zip").exists(),
        reason="the playground is not part of the site that was built last; `uv run nox -s playground` builds it in",
    ),
]


@pytest.fixture
def playground(page, site):
    page.goto(f"{site}playground/")
    page.wait_for_load_state("networkidle")
    assert not [url for url in page.asked if "/vendor/" in url], "nothing of Python loads before the click"
    page.click("[data-playground=start]")
    page.wait_for_selector(".playground[data-ready]")
    return page


def type_line(page, line, terminal=0):
    page.locator(".playground-terminal").nth(terminal).click()
    page.keyboard.type(line)
    page.keyboard.press("Enter")


def wait_for(page, text, terminal=0):
    """Wait until the terminal shows the text, a long line perhaps broken into two."""
    page.wait_for_function(
        """([terminal, text]) => document.querySelectorAll(".playground-terminal .xterm-rows")[terminal]
            .textContent.replaceAll("\\u00a0", " ").includes(text)""",
        arg=[terminal, text],
    )


def test_it_answers_and_shows_the_bytes_and_the_towers(playground):
    type_line(playground, "SET greeting hello")
    wait_for(playground, "OK")
    type_line(playground, "GET greeting")
    wait_for(playground, '"hello"')
    assert "greeting" in playground.inner_text("[data-playground=wire]")
    type_line(playground, "ZADD heights 178 Ada 165 Ben 190 Cleo 171 Dora 183 Emil")
    wait_for(playground, "(integer) 5")
    structure = playground.inner_text("[data-playground=structure]")
    assert "held as skiplist" in structure
    assert "Dora" in structure
    type_line(playground, "XADD log 1-1 level info")
    wait_for(playground, '"1-1"')
    assert "1 entry" in playground.inner_text("[data-playground=structure]")
    type_line(playground, 'EVAL "return 1" 0')
    wait_for(playground, "(error) ERR")


def test_terminals_hear_of_each_other(playground):
    playground.click("[data-playground=second]")
    type_line(playground, "SUBSCRIBE news", terminal=1)
    wait_for(playground, '"subscribe"', terminal=1)
    type_line(playground, "PUBLISH news hello")
    wait_for(playground, '"message"', terminal=1)
    type_line(playground, "BLPOP jobs 1")
    wait_for(playground, "(nil)")
    type_line(playground, "SET soon gone PX 300")
    playground.wait_for_function(
        """() => document.querySelector("[data-playground=structure]").textContent.includes("no key soon")"""
    )


def test_keys_do_what_a_shell_does(playground):
    playground.locator(".playground-terminal").first.click()
    playground.keyboard.type("incrb")
    playground.keyboard.press("Tab")
    playground.keyboard.press("Control+U")
    type_line(playground, "INCRBY n 5")
    wait_for(playground, "(integer) 5")
    playground.keyboard.press("ArrowUp")
    playground.keyboard.press("Enter")
    wait_for(playground, "(integer) 10")
    playground.keyboard.type("BLPOP never 0")
    playground.keyboard.press("Enter")
    playground.keyboard.press("Control+C")
    type_line(playground, "ECHO back")
    wait_for(playground, '"back"')
