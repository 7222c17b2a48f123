"""Every page of the site: it loads, from the site alone, and its links within the site lead somewhere."""

from __future__ import annotations

import string
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from .conftest import SITE

pytestmark = pytest.mark.timeout(600)
PAGES = sorted(
    path.parent.relative_to(SITE).as_posix() for path in SITE.rglob("index.html") if "lite" not in path.parts
)


@pytest.mark.skipif(not PAGES, reason="the site has not been built: `uv run nox -s docs` does that")
def test_every_page_is_whole(page, site):
    lacking = []
    names_of = {}
    links = {}
    for name in PAGES:
        url = urljoin(site, "" if name == "." else f"{name}/")
        answer = page.goto(url, wait_until="load")
        assert answer.ok, url
        names_of[url] = set(
            page.eval_on_selector_all("[id], a[name]", "all => all.map((e) => e.id || e.name)")
        )
        links[url] = page.eval_on_selector_all(
            "a[href]", "all => all.map((a) => new URL(a.getAttribute('href'), document.baseURI).href)"
        )
        broken = page.eval_on_selector_all(
            "img", "all => all.filter((i) => !i.naturalWidth).map((i) => i.src)"
        )
        lacking += [f"{name}: the picture {source}" for source in broken]
    for url, targets in links.items():
        for target in set(targets):
            address, fragment = urldefrag(target)
            if not address.startswith(site) or "/lite/" in address:
                continue
            path = SITE / unquote(urlsplit(address).path).lstrip("/")
            if not (path / "index.html" if path.is_dir() else path).exists():
                lacking.append(f"{url}: {target}")
            elif fragment and address in names_of and unquote(fragment) not in names_of[address]:
                lacking.append(f"{url}: there is no {target}")
    assert lacking == []


def test_search_finds_a_command_and_something_for_every_letter(page, site):
    errors = []
    page.on("console", lambda message: errors.append(message.text))
    page.goto(site)
    words = page.locator(".md-search__input").first
    words.click()
    page.wait_for_function("!document.querySelector('.md-search-result__meta').innerText.startsWith('Init')")
    for letter in string.ascii_lowercase + string.digits:  # the index can be broken for some of them alone
        words.fill("")
        page.keyboard.type(letter)
        page.wait_for_timeout(300)
    words.fill("")
    page.keyboard.type("skip list")
    page.wait_for_selector(".md-search-result__item")
    assert page.locator(".md-search-result__item").count() > 2
    assert errors == []


@pytest.mark.parametrize("width", [390, 1300])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "architecture/", "commands/", "tour/05_sorted_sets/", "playground/"])
def test_no_page_is_wider_than_the_window(browser, site, path, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(urljoin(site, path), wait_until="load")
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert wide <= width
