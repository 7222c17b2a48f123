"""The page on pictures shows all of them: at any width, in either theme, and stepped through by hand."""

from __future__ import annotations

import pytest

from .conftest import SITE

PAGE = "packages/viz/"

pytestmark = [
    pytest.mark.timeout(200),
    pytest.mark.skipif(
        not (SITE / PAGE / "index.html").exists(), reason="the site was built before there were pictures"
    ),
]


@pytest.mark.parametrize("width", [390, 1300])
def test_no_picture_makes_the_page_wider_than_the_window(page, site, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(site + PAGE)
    assert page.locator(".cutaway-viz").count() >= 12
    assert page.evaluate("document.documentElement.scrollWidth") == width
    edges = page.eval_on_selector_all(
        ".cutaway-viz", "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert max(edges) <= width


def test_pictures_take_the_colours_of_the_theme_that_the_page_has(page, site):
    page.emulate_media(color_scheme="light")
    page.goto(site + PAGE)

    def colours():
        return page.eval_on_selector(
            ".cutaway-viz .cv-full", "one => [getComputedStyle(one).fill, getComputedStyle(one).color]"
        )

    light = colours()
    page.evaluate("document.body.setAttribute('data-md-color-scheme', 'slate')")
    dark = colours()
    assert light[0] != dark[0]
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.body.setAttribute('data-md-color-scheme', 'default')")
    assert colours()[0] == light[0], "what the page says counts for more than what the system prefers"


def test_a_stepper_goes_by_click_and_by_arrow_key(page, site):
    page.goto(site + PAGE)
    form = page.locator("form.cv-steps").first
    steps = form.locator("> section")
    assert [steps.nth(at).is_visible() for at in range(3)] == [True, False, False]
    form.locator("input").nth(1).click()
    assert [steps.nth(at).is_visible() for at in range(3)] == [False, True, False]
    page.keyboard.press("ArrowRight")
    assert [steps.nth(at).is_visible() for at in range(3)] == [False, False, True]
