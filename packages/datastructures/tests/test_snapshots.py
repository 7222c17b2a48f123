"""What a picture is drawn from: every element is in it, and it stays when the structure changes."""

from random import Random

import pytest

from cutaway.datastructures import AVLTree, Dict, QuickList
from cutaway.datastructures.avl_trees import AVLSnapshot
from cutaway.datastructures.limits import Limits


def test_a_snapshot_of_a_dict_has_each_key_in_one_slot_and_none_where_the_rehash_has_been() -> None:
    table: Dict[int, None] = Dict()
    for key in range(67):
        table[key] = None
    assert table.rehashing
    snapshot = table.snapshot()
    assert len(snapshot.tables) == 2
    assert sorted(key for slots in snapshot.tables for keys in slots for key in keys) == list(range(67))
    assert snapshot.rehash_index > 0
    assert not any(snapshot.tables[0][: snapshot.rehash_index])
    while table.rehash_step():
        pass
    assert len(snapshot.tables) == 2
    assert (len(table.snapshot().tables), table.snapshot().rehash_index) == (1, -1)


def test_a_snapshot_of_a_quicklist_says_how_each_node_is_held() -> None:
    limits = Limits(list_max_listpack_size=4, list_compress_depth=1)
    values = QuickList(limits)
    elements = [b"the same words again and again %d" % number for number in range(12)]
    for element in [*elements, b"x" * 10_000]:
        values.append(element)
    nodes = values.snapshot()
    assert [node.kind for node in nodes] == ["listpack", "lzf", "lzf", "plain"]
    assert [element for node in nodes for element in node.elements] == [*elements, b"x" * 10_000]
    assert [node.held < node.nbytes for node in nodes] == [False, True, True, False]
    assert nodes[0].nbytes == values.nodes[0].nbytes  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [0, 1, 30])
def test_a_snapshot_of_a_tree_has_its_pairs_in_order_and_their_sizes(count: int) -> None:
    tree, rng = AVLTree(), Random(4)
    for number in range(count):
        tree.insert(rng.random(), b"%d" % number)

    def walk(node: AVLSnapshot | None) -> list[tuple[bytes, float]]:
        if node is None:
            return []
        pairs = [*walk(node.left), (node.member, node.score), *walk(node.right)]
        assert node.size == len(pairs)
        return pairs

    assert walk(tree.snapshot()) == list(tree)
