"""Pictures of structures have all that the structure has, and show it where it is."""

import re
import xml.etree.ElementTree as ET
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.datastructures import AVLTree, Dict, QuickList, RadixTree, SkipList
from cutaway.datastructures.limits import Limits
from cutaway.viz import avl_tree, dict_tables, quicklist, radix_tree, sampling, skiplist
from cutaway.viz.svg import spell

FEW = settings(max_examples=50, deadline=None)
MEMBERS = st.binary(min_size=1, max_size=6)


def plain(html: str) -> list[str]:
    """The words of a drawing that are not the hints of the pointer."""
    tree = ET.fromstring(html)
    return [text for element in tree.iter() if element.tag.endswith("}text") for text in [element.text or ""]]


@FEW
@given(st.dictionaries(MEMBERS, st.integers(0, 9), max_size=12), st.integers(0, 99))
def test_a_skip_list_has_a_tower_for_each_member_and_a_number_for_each_stop(
    scores: dict[bytes, int], seed: int
) -> None:
    index = SkipList(Random(seed))
    for member, score in scores.items():
        index.insert(score, member)
    towers, way = index.snapshot(), index.search_path(5, b"m")
    picture = skiplist(towers, way)
    words = plain(picture.html)
    for member, score in scores.items():
        name = spell(member, 16)
        assert name in words
        assert f"{name} {score}" in picture.text
    assert picture.html.count("<rect") == sum(len(tower.spans) for tower in towers)
    for stop in range(1, len(way) + 1):
        assert str(stop) in words
        assert f"({stop})" in picture.text


@FEW
@given(st.sets(st.integers(), max_size=200), st.one_of(st.none(), st.integers(0, 1 << 40)))
def test_a_dict_has_a_bar_for_each_slot_and_all_its_keys(keys: set[int], scan: int | None) -> None:
    table = Dict((key, None) for key in keys)
    snapshot = table.snapshot()
    picture = dict_tables(snapshot, scan=scan)
    ET.fromstring(picture.html)
    counts = [int(line.split()[-1]) for line in picture.text.splitlines() if re.search(r"#* \d+$", line)]
    assert sum(counts) == len(keys)
    framed = picture.text.count(" > ")
    assert (framed > 0) == (scan is not None)
    assert picture.html.count("cv-ring cv-h4") == framed


def test_the_slots_framed_are_those_that_a_scan_reads_next() -> None:
    table = Dict((number, None) for number in range(130))
    assert table.rehashing
    snapshot, cursor = table.snapshot(), 5
    _, items = table.scan(cursor, count=1)
    slots = [line.split() for line in dict_tables(snapshot, scan=cursor).text.splitlines() if " > " in line]
    sizes = [len(keys) for keys in snapshot.tables]
    assert sizes == [8, 16]
    assert [int(words[0]) for words in slots] == [5, 5, 13]
    assert {key for key, _ in items} == {
        key for slots_, at in zip([snapshot.tables[0], snapshot.tables[1]], [[5], [5, 13]], strict=True)
        for slot in at for key in slots_[slot]
    }  # fmt: skip


@FEW
@given(st.lists(st.binary(max_size=30), max_size=40))
def test_the_text_of_a_quicklist_has_every_element(elements: list[bytes]) -> None:
    values = QuickList(Limits(list_max_listpack_size=3, list_compress_depth=1))
    for element in elements:
        values.append(element)
    picture = quicklist(values.snapshot())
    ET.fromstring(picture.html)
    nodes = picture.text.splitlines()[1:]
    assert len(nodes) == len(values.nodes)
    rest = "".join(nodes)
    for element in elements:
        assert spell(element, 40) in rest


def test_in_the_midst_of_a_long_quicklist_nodes_are_left_out_and_counted() -> None:
    values = QuickList(Limits(list_max_listpack_size=1))
    for number in range(30):
        values.append(b"%d" % number)
    html = quicklist(values.snapshot()).html
    assert html.count('class="cv-head"') == 16
    assert "14 more nodes" in html


@FEW
@given(st.sets(st.binary(max_size=5), max_size=20))
def test_a_radix_tree_has_a_dot_for_each_node_and_a_full_one_for_each_key(keys: set[bytes]) -> None:
    tree: RadixTree[None] = RadixTree()
    for key in keys:
        tree[key] = None
    picture = radix_tree(tree.snapshot())
    assert picture.html.count("<circle") == tree.node_count()
    assert picture.html.count('class="cv-full cv-h2"') == len(keys)
    assert picture.text.count(" *") == len(keys)


def test_the_text_of_a_radix_tree_is_the_tree() -> None:
    tree: RadixTree[int] = RadixTree()
    for number, word in enumerate([b"foo", b"footer", b"foto", b"bar"]):
        tree[word] = number
    assert str(radix_tree(tree.snapshot(), title="Words")) == (
        "Words\n\n"
        "4 keys in 6 nodes, the root included.\n"
        "(root)\n"
        '├─ "bar" * 3\n'
        '└─ "fo"\n'
        '   ├─ "o" * 0\n'
        '   │  └─ "ter" * 1\n'
        '   └─ "to" * 2'
    )


@FEW
@given(st.sets(st.integers(0, 99), max_size=20))
def test_an_avl_tree_shows_every_member_with_the_size_below_it(members: set[int]) -> None:
    tree = AVLTree()
    for number in members:
        tree.insert(number, b"m%d" % number)
    picture = avl_tree(tree.snapshot())
    words = plain(picture.html)
    assert [f"m{number} {number}" for number in sorted(members)] == [word for word in words if word[0] == "m"]
    assert len(picture.text.splitlines()) == 1 + len(members)


@FEW
@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["kept", "evicted", "new"])), max_size=40),
    )
)
def test_dots_never_cover_each_other_and_are_all_counted(lanes: dict[str, list[tuple[float, str]]]) -> None:
    picture = sampling(lanes, "age", states=["kept"])
    tree = ET.fromstring(picture.html)
    spots = [
        (float(e.get("cx", "")), float(e.get("cy", ""))) for e in tree.iter() if e.tag.endswith("}circle")
    ]
    for at, (x, y) in enumerate(spots):
        assert all(abs(x - a) > 8 or abs(y - b) > 8 for a, b in spots[:at])
    for name, dots in lanes.items():
        line = next(line for line in picture.text.splitlines() if line.startswith(f"{name}:"))
        assert sum(map(int, re.findall(r"\d+", line))) == len(dots)


def test_a_large_table_is_drawn_with_a_bar_for_several_slots() -> None:
    table = Dict((number, None) for number in range(20_000))
    picture = dict_tables(table.snapshot())
    assert picture.html.count("<rect") == 256
    bars = [line.split() for line in picture.text.splitlines() if "#" in line]
    assert sum(int(words[-1]) for words in bars) == 20_000
    assert [int(words[0]) for words in bars] == list(range(0, 2048, 8))


def test_the_text_of_a_large_node_leaves_out_its_midst() -> None:
    values = QuickList()
    for number in range(100):
        values.append(b"e%d" % number)
    line = quicklist(values.snapshot()).text.splitlines()[1]
    assert "e0  e1 " in line
    assert "e15  … 68 more …  e84" in line
    assert line.endswith("e99")


@FEW
@given(st.binary(max_size=80), st.integers(18, 40))
def test_spelt_bytes_are_short_and_whole_if_they_fit(data: bytes, most: int) -> None:
    letters = [repr(bytes((byte,)))[2:-1] for byte in data]
    words, whole = spell(data, most), "".join(letters)
    assert len(words) <= most
    if len(whole) <= most:
        assert words == whole
    else:
        start, _, end = words.partition(" … ")
        assert any("".join(letters[:count]) == start for count in range(1, most))
        assert any("".join(letters[-count:]) == end for count in range(1, most))
