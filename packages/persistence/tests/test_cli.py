from __future__ import annotations

import json

import pytest

from cutaway.datastructures.hash_values import HashValue
from cutaway.datastructures.list_values import ListValue
from cutaway.datastructures.set_values import SetValue
from cutaway.datastructures.sorted_set_values import SortedSetValue
from cutaway.datastructures.stream_groups import ConsumerGroup
from cutaway.datastructures.streams import Stream
from cutaway.persistence import DatabaseDump, write_rdb
from cutaway.persistence.__main__ import main
from cutaway.persistence.key_tables import moment, quoted
from cutaway.persistence.views import annotate_file, annotate_rdb, as_html, as_text
from cutaway.resp import encode_request


def sample() -> bytes:
    """Return a file with something of everything."""
    elements = ListValue()
    elements.push_right([b"x" * 100] * 200)
    fields = HashValue()
    fields.set(b"f", b"v")
    fields.set(b"g", b"<w>")
    fields.set_expiry(b"g", 10**13)
    stream = Stream()
    stream.append((1, 1), [(b"f", b"v")])
    group = stream.groups.setdefault(b"group", ConsumerGroup())
    consumer = group.create_consumer(b"c", 5)
    assert consumer is not None
    group.read_new(stream, consumer, 6)
    scores = SortedSetValue.from_pairs([(b"m" * 70, 1.5), (b"n", 2)])
    members = SetValue.from_members([b"%d" % n for n in range(600)])
    values = [b"hello", 7, b"a" * 300, elements, fields, stream, scores, members]
    items = [(b"key%d" % n, value, 10**13 + n, n) for n, value in enumerate(values)]
    out = bytearray()
    write_rdb(
        out.extend, [DatabaseDump(0, 8, 8, items)], version=80, aux={b"x": b"y"}, libraries=[b"#!lua name=l"]
    )
    return bytes(out)


def leaves(spans):
    parents = {span.parent for span in spans}
    return [span for index, span in enumerate(spans) if index not in parents]


def test_the_leaves_of_the_view_cover_every_byte_once_and_lie_in_their_parents():
    data = sample()
    view = annotate_rdb(data)
    assert view.error is None
    place = 0
    for span in leaves(view.spans):
        assert span.start == place
        place = span.end
    assert place == len(data)
    for span in view.spans:
        if span.parent is not None:
            parent = view.spans[span.parent]
            assert parent.start <= span.start <= span.end <= parent.end


def test_the_view_goes_into_listpacks_and_intsets():
    view = annotate_rdb(sample())
    labels = {span.label: span.value for span in view.spans}
    assert labels["bytes and entries"]
    assert b"f" in [span.value for span in view.spans if span.label == "entry"]
    out = bytearray()
    write_rdb(
        out.extend, [DatabaseDump(0, 1, 0, [(b"k", SetValue.from_members([b"300", b"-5"]), None, None)])]
    )
    assert [span.value for span in annotate_rdb(bytes(out)).spans if span.label == "integer"] == [-5, 300]


@pytest.mark.parametrize("cut", [3, 9, 40, 200, 1000])
def test_a_damaged_file_is_shown_up_to_the_damage(cut):
    view = annotate_rdb(sample()[:cut])
    assert view.error is not None
    assert all(span.end <= cut for span in view.spans)
    assert list(as_text(view))[-1].endswith(view.error.text)


def test_commands_behind_a_preamble_are_shown_too():
    data = sample()
    view = annotate_file(data + encode_request([b"SET", b"k", b"v"]))
    assert view.spans[-1].end == len(view.data)
    assert any(span.start == len(data) and span.parent is None for span in view.spans)


def test_the_html_fragment_escapes_what_the_file_holds():
    text = as_html(annotate_rdb(sample()))
    assert "<w>" not in text
    assert "&lt;w&gt;" in text


def test_check_show_and_keys(tmp_path, capsys):
    path = tmp_path / "dump.rdb"
    path.write_bytes(sample())
    assert main(["check", str(path)]) == 0
    assert (
        "RDB version 80, 8 keys (1 hash, 1 list, 1 set, 1 stream, 3 string, 1 zset)"
        in capsys.readouterr().out
    )
    assert main(["show", str(path)]) == 0
    assert "expiry of the next key, in ms" in capsys.readouterr().out
    assert main(["show", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["error"] is None
    assert main(["keys", str(path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 8
    assert main(["keys", str(path), "--key", "key4"]) == 0
    assert '"g": "<w>"' in capsys.readouterr().out
    assert main(["keys", str(path), "--key", "nobody"]) == 1


def test_damage_and_absence_are_bad_verdicts_with_an_offset(tmp_path, capsys):
    path = tmp_path / "dump.rdb"
    data = bytearray(sample())
    data[-3] ^= 1
    path.write_bytes(data)
    assert main(["check", str(path)]) == 1
    assert "checksum" in capsys.readouterr().out
    path.write_bytes(sample() + b"x")
    assert main(["check", str(path)]) == 1
    assert f"(at byte {len(data)})" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "nothing")]) == 1
    assert main(["keys", str(tmp_path / "nothing")]) == 1


@pytest.mark.parametrize("place", ["directory", "manifest", "single"])
def test_a_torn_tail_is_reported_and_fixed(tmp_path, capsys, place):
    whole = encode_request([b"SET", b"k", b"v"])
    name = "appendonly.aof" if place == "single" else "appendonly.aof.1.incr.aof"
    (tmp_path / name).write_bytes(whole * 2 + whole[:9])
    if place != "single":
        manifest = tmp_path / "appendonly.aof.manifest"
        manifest.write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    path = {
        "directory": tmp_path,
        "manifest": tmp_path / "appendonly.aof.manifest",
        "single": tmp_path / name,
    }[place]
    assert main(["check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "the last 9 bytes are no whole command or transaction: --fix cuts them off" in said
    assert f"(at byte {2 * len(whole)})" in said
    assert main(["check", str(path), "--fix"]) == 0
    assert (tmp_path / name).read_bytes() == whole * 2
    assert main(["check", str(path)]) == 0
    assert "2 commands, is valid" in capsys.readouterr().out
    (tmp_path / name).write_bytes(whole + b"garbage\r\n" + whole)
    assert main(["check", str(path), "--fix"]) == 1
    assert f"(at byte {len(whole)})" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"plain", '"plain"'),
        ("Zürich 東京".encode(), '"Zürich 東京"'),
        (b'say "hi"\\', '"say \\"hi\\"\\\\"'),
        (b"\xff\x00\n\x1b", '"\\xff\\x00\\n\\x1b"'),
    ],
)
def test_a_name_is_shown_as_text_where_it_is_text(data, shown):
    assert quoted(data) == shown


def test_the_times_of_all_calendars_and_beyond_are_shown():
    assert moment(1_790_000_000_000) == "2026-09-21 14:13:20 UTC"
    assert moment((1 << 63) - 1) == f"{(1 << 63) - 1} ms after 1970"
