"""What holds for every picture: well-formed, themed by the palette alone, complete as text, and a pure function."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import AVLTree, Dict, QuickList, RadixTree, SkipList
from cutaway.datastructures.limits import Limits
from cutaway.viz import (
    Picture,
    annotated_bytes,
    avl_tree,
    bars,
    dict_tables,
    log_cuts,
    plot,
    power_cut,
    quicklist,
    radix_tree,
    sampling,
    skiplist,
    steps,
    timeline,
    versus,
)
from cutaway.viz.palette import DARK, LIGHT, STYLE
from cutaway.viz.scales import log_ticks

FEW = settings(max_examples=50, deadline=None)
ODD = "<&\"'> \x00 \u2028 é"
WORDS = st.text(max_size=12)


def a_skiplist() -> Picture:
    index = SkipList(Random(2))
    for number, member in enumerate([b"<a&b>", b"\x00\xff", b"plain", b"", b"'\""]):
        index.insert(number / 3, member)
    return skiplist(index.snapshot(), index.search_path(1, b"plain"), title=ODD)


def a_dict() -> Picture:
    table = Dict((number, None) for number in range(66))
    return dict_tables(table.snapshot(), scan=3, title=ODD)


def a_quicklist() -> Picture:
    values = QuickList(Limits(list_max_listpack_size=2, list_compress_depth=1))
    for number in range(50):
        values.append(b"<%d> over and over and over and over and over again" % number)
    values.append(b"\x00" * 9000)
    return quicklist(values.snapshot(), title=ODD)


def a_radix_tree() -> Picture:
    tree: RadixTree[object] = RadixTree()
    for word in (b"<a>", b"<a>&", b"<b", b"\x00", b""):
        tree[word] = word
    return radix_tree(tree.snapshot(), find=b"<a>", title=ODD)


def an_avl_tree() -> Picture:
    tree = AVLTree()
    for number in range(9):
        tree.insert(number, b"<%d>" % number)
    return avl_tree(tree.snapshot(), title=ODD)


def a_plot() -> Picture:
    return plot({ODD: [(1, 2), (50, 3000)], "b": [(3, 0.01)]}, ODD, ODD, title=ODD)


def a_stepper() -> Picture:
    return steps([(ODD, a_dict()), ("then", bars({"x": 1}))], title=ODD)


PICTURES: dict[str, Callable[[], Picture]] = {
    "annotated_bytes": lambda: annotated_bytes(b"*2\r\n$3\r\n<&>\r\n$2\r\n\x00\xff\r\n+cut", title=ODD),
    "skiplist": a_skiplist,
    "dict_tables": a_dict,
    "quicklist": a_quicklist,
    "radix_tree": a_radix_tree,
    "avl_tree": an_avl_tree,
    "sampling": lambda: sampling({ODD: [(1, ODD), (2, "b")], "empty": []}, ODD, title=ODD),
    "power_cut": lambda: power_cut({ODD: [(1, True), (2, False)]}, {ODD: [1.5]}, 3, title=ODD),
    "timeline": lambda: timeline([ODD, "b"], [(ODD, "b", ODD), ("b", "b", ODD)], title=ODD),
    "log_cuts": lambda: log_cuts([(ODD, 2)], ["no", "no", ODD], title=ODD),
    "bars": lambda: bars({ODD: 0, "b": 12.5}, ODD, title=ODD),
    "plot": a_plot,
    "linear plot": lambda: plot({"a": [(0, 0), (3, -7)]}, "x", "y", log=""),
    "versus": lambda: versus(ODD, {ODD: 1}),
    "steps": a_stepper,
    "no bytes": lambda: annotated_bytes(b""),
    "no nodes": lambda: skiplist(SkipList().snapshot()),
    "no keys": lambda: dict_tables(Dict().snapshot()),
    "no elements": lambda: quicklist(QuickList().snapshot()),
    "no words": lambda: radix_tree(RadixTree[int]().snapshot()),
    "no tree": lambda: avl_tree(None),
    "no dots": lambda: sampling({}, "x"),
    "no messages": lambda: timeline([], []),
    "no bars": lambda: bars({}),
    "no points": lambda: plot({}, "x", "y"),
    "no steps": lambda: steps([]),
}


@pytest.fixture(params=PICTURES.values(), ids=list(PICTURES))
def draw(request: pytest.FixtureRequest) -> Callable[[], Picture]:
    found: Callable[[], Picture] = request.param
    return found


def test_the_markup_is_well_formed_as_xml_and_as_html(draw: Callable[[], Picture]) -> None:
    html = draw().html
    ET.fromstring(html)
    empty = set(re.findall(r"<(\w+)[^>]*/>", html))
    assert empty <= {"input"}, "HTML takes any other for an opening tag"
    assert "\n\n" not in html.replace(STYLE, ""), "a blank line ends a block in Markdown"


def test_there_is_no_script_no_id_no_link_and_nothing_is_loaded(draw: Callable[[], Picture]) -> None:
    tree = ET.fromstring(draw().html)
    for element in tree.iter():
        name = element.tag.rpartition("}")[2]
        assert name not in {"script", "a", "img", "link", "iframe", "use"}
        assert not {"id", "href", "src"} & set(element.attrib)
        assert not any(attribute.startswith("on") for attribute in element.attrib)
    assert "url(" not in draw().html


def test_colours_come_from_the_palette_alone(draw: Callable[[], Picture]) -> None:
    tree = ET.fromstring(draw().html)
    for element in tree.iter():
        for attribute in ("style", "fill", "stroke", "color", "background"):
            assert not re.search(r"#[0-9a-f]{3}|rgb|hsl", element.get(attribute, ""))
        assert element.get("fill") is None
        assert element.get("stroke") is None
    literals = set(re.findall(r"#[0-9a-f]{6}", STYLE))
    assert literals == {*LIGHT.values(), *DARK.values()}


def test_every_drawing_has_a_title_and_a_description(draw: Callable[[], Picture]) -> None:
    tree = ET.fromstring(draw().html)
    for svg in tree.iter("{http://www.w3.org/2000/svg}svg"):
        assert [child.tag.rpartition("}")[2] for child in svg][:2] == ["title", "desc"]
        assert all(child.text for child in list(svg)[:2])
        assert svg.get("role") == "img"


def test_a_picture_is_drawn_the_same_again(draw: Callable[[], Picture]) -> None:
    assert draw() == draw()


def test_a_notebook_gets_markup_and_print_gets_text(draw: Callable[[], Picture]) -> None:
    picture = draw()
    assert picture._repr_html_() == picture.html
    assert repr(picture) == str(picture)
    assert "cutaway-viz" not in str(picture)


def test_ink_is_legible_on_a_light_page_and_on_a_dark_one() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for palette, pages in ((LIGHT, ["#ffffff"]), (DARK, ["#1e2129", "#111111", "#1f1f1f"])):
        for name, colour in palette.items():
            for page in [palette["on"]] if name != "on" else []:
                assert contrast(colour, page) >= 4.5
            for page in pages if name != "on" else []:
                assert contrast(colour, page) >= 4.5


@FEW
@given(st.dictionaries(WORDS, st.floats(0, 1e9), max_size=6), WORDS)
def test_bars_of_any_names_are_well_formed_and_all_there(values: dict[str, float], unit: str) -> None:
    picture = bars(values, unit)
    ET.fromstring(picture.html)
    assert all(name in picture.text for name in values)
    assert picture.html.count('class="cv-track"') == len(values)


def is_inside(picture: Picture, points: int) -> bool:
    """Whether a plot has so many points, all of them between its axes."""
    tree = ET.fromstring(picture.html)
    spots = [element for element in tree.iter("span") if "cv-point" in element.get("class", "")]
    places = [re.fullmatch(r"left:(.*)%;bottom:(.*)%", spot.get("style", "")) for spot in spots]
    shares = [float(share) for place in places if place for share in place.groups()]
    return len(shares) == 2 * points and all(0 <= share <= 100 for share in shares)


def series(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, list[tuple[float, float]]]]:
    """Up to four lines of up to six points."""
    return st.dictionaries(WORDS, st.lists(st.tuples(numbers, numbers), max_size=6), max_size=4)


@FEW
@given(series(st.floats(1e-6, 1e9)), st.sampled_from(["", "x", "y", "xy"]))
def test_any_positive_points_can_be_plotted(lines: dict[str, list[tuple[float, float]]], log: str) -> None:
    assert is_inside(plot(lines, "x", "y", log=log), sum(map(len, lines.values())))  # type: ignore[arg-type]


@FEW
@given(series(st.floats(-1e6, 1e6, allow_subnormal=False)))
def test_any_points_can_be_plotted_on_linear_axes(lines: dict[str, list[tuple[float, float]]]) -> None:
    assert is_inside(plot(lines, "x", "y", log=""), sum(map(len, lines.values())))


@pytest.mark.parametrize(
    ("low", "high", "ends", "names"),
    [
        (1, 1000, (1, 1000), ["1", "10", "100", "1 k"]),
        (3, 80, (2, 100), ["2", "5", "10", "20", "50", "100"]),
        (7, 7, (5, 10), ["5", "10"]),
        (10, 10, (10, 20), ["10", "20"]),
        (0.02, 4000, (0.02, 5000), ["0.1", "1", "10", "100", "1 k"]),
    ],
)
def test_a_logarithmic_axis_has_round_ends_and_few_names(
    low: float, high: float, ends: tuple[float, float], names: list[str]
) -> None:
    start, end, places = log_ticks(low, high)
    assert (start, end) == pytest.approx(ends)
    assert [name for _, name in places] == names


NAMES = ["Anna", "Bert", "server", "log"]


@FEW
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), WORDS), max_size=8))
def test_a_timeline_says_every_message_and_cuts_none_off(messages: list[tuple[str, str, str]]) -> None:
    picture = timeline(NAMES, messages)
    tree = ET.fromstring(picture.html)
    svg = next(element for element in tree.iter() if element.tag.endswith("svg"))
    assert picture.text.count("\n") + 1 >= len(messages)
    for element in svg.iter():
        if element.tag.endswith("text"):
            x, room = float(element.get("x", "nan")), 6.6 * len(element.text or "")
            look = element.get("class", "")
            left = x - (room / 2 if "cv-mid" in look else room if "cv-end" in look else 0)
            assert left >= 0
            assert left + room <= float(svg.get("width", "nan"))


def test_a_stepper_shows_the_first_step_and_has_a_button_for_each() -> None:
    frames = [(f"step {number}", bars({"x": number})) for number in range(1, 5)]
    tree = ET.fromstring(steps(frames).html)
    form = next(tree.iter("form"))
    kinds = [child.tag for child in form]
    assert kinds == ["input", "section"] * 4, "the style shows the section behind the button that is on"
    assert [child.get("checked") for child in form.iter("input")] == ["checked", None, None, None]
    assert all(caption in str(steps(frames)) for caption, _ in frames)
    assert len(list(tree.iter("style"))) == 1
