"""cjson, cmsgpack, struct, bit and math.random beside a real server's: each result and each error, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHOW = """local function show(v) if type(v) == 'table' then local t = {} for k, x in pairs(v) do t[#t + 1] = tostring(k) .. '=' .. show(x) end
table.sort(t) return '{' .. table.concat(t, ',') .. '}' end return type(v) .. ':' .. tostring(v) end """
"""A Lua function that writes any value, whatever its order in memory."""


@pytest.mark.parametrize(
    "value",
    [
        "nil", "true", "false", "1", "-1", "0.5", "1e15", "1e14", "123456789012345", "1e300", "3.14159265358979", "2^53", "1/0", "-1/0",
        "0/0", "'a'", "''", "'\"\\\\/\\b\\t\\n\\f\\r'", "'\\0\\1\\31\\127'", "'\\195\\169'", "{}", "{1,2,3}", "{1,nil,3}", "{[3]=1}",
        "{[10]=1}", "{[11]=1}", "{[1]=1,[2]=2,[3]=3,[20]=4}", "{1,2,3,4,5,6,7,8,9,10,[21]=1}", "{1,2,3,4,5,6,7,8,9,10,[23]=1}",
        "{a=1}", "{[0]=1}", "{[-1]=1}", "{[1.5]=1}", "{1,a=2}", "{[true]=1}", "{[{}]=1}", "print", "function() end", "cjson.null",
        "{cjson.null}", "redis.call", "{{}}", "{a={b={}}}", "{[1e15]=1}", "{a='b'}", "{[2]=cjson.null}",
    ],
)  # fmt: skip
def test_json_of_lua_values(pair: Any, value: str) -> None:
    pair.lua(f"return cjson.encode({value})")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1", " 1 ", "-1", "+1", "01", "0x1F", "0x", "0x.8p1", "1.5", "1.", ".5", "-.5", "-", "1e5", "1e", "1e+", "1E-2", "inf",
        "-inf", "Infinity", "nan", "NaN", "-nan", "in", "true", "tru", "truex", "false", "null", "nul", '"a"', '"', '"a', '"\\', '"\\x"',
        '"\\u0041"', '"\\u00e9"', '"\\u20AC"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00"', '"\\ud83dx"', '"\\ud83d\\u0041"', '"\\u12"',
        '"\\u12g4"', '"\\n\\t\\"\\/\\\\\\b\\f\\r"', "[]", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,2,3]", "{}", "{", "}",
        '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{a:1}", "{1:1}", '{"a" 1}', '{"a":1 "b":2}', '{"a":1,"b":[{},[],null]}',
        '{"a":1,"a":2}', "1 2", "[] x", "\0", "1\0x", '"a\0b"', "[1\0", "@", "'a'", '"\n"', "[1e400]", "12345678901234567890",
        "0.1e1000000", "-0", "0", "00", "[nan]", '{"":1}', "\xc3\xa9",
    ],
)  # fmt: skip
def test_lua_values_of_json(pair: Any, text: str) -> None:
    pair.lua(SHOW + "return show(cjson.decode(ARGV[1]))", text.encode("latin-1"))


@pytest.mark.parametrize("depth", [1, 999, 1000, 1001])
def test_json_is_nested_to_a_depth(pair: Any, depth: int) -> None:
    pair.lua("local t = 1 for i = 1, tonumber(ARGV[1]) do t = {t} end return #cjson.encode(t)", depth)
    pair.lua("local t = 1 for i = 1, tonumber(ARGV[1]) do t = {a=t} end return #cjson.encode(t)", depth)
    pair.lua("return type(cjson.decode(ARGV[1]))", "[" * depth + "]" * depth)
    pair.lua("return type(cjson.decode(ARGV[1]))", '{"a":' * depth + "1" + "}" * depth)


def test_a_table_in_itself_is_too_deep(pair: Any) -> None:
    pair.lua("local t = {} t[1] = t return cjson.encode(t)")
    pair.lua("local t = {} t[1] = t return #cmsgpack.pack(t)")


@pytest.mark.parametrize(
    "call",
    [
        "cjson.encode()", "cjson.encode(1, 2)", "cjson.decode()", "cjson.decode(1)", "cjson.decode({})", "cjson.decode(nil)",
        "cjson.encode_sparse_array()", "cjson.encode_sparse_array(true, 3, 4)", "cjson.encode_sparse_array('on')",
        "cjson.encode_sparse_array('x')", "cjson.encode_sparse_array(1, -1)", "cjson.encode_sparse_array(1, 2, 3, 4)",
        "cjson.encode_max_depth()", "cjson.encode_max_depth(0)", "cjson.encode_max_depth('x')", "cjson.decode_max_depth(5)",
        "cjson.encode_number_precision()", "cjson.encode_number_precision(15)", "cjson.encode_number_precision(14)",
        "cjson.encode_keep_buffer()", "cjson.encode_keep_buffer('off')", "cjson.encode_invalid_numbers()",
        "cjson.encode_invalid_numbers('null')", "cjson.encode_invalid_numbers('nil')", "cjson.decode_invalid_numbers()",
        "cjson.encode_invalid_numbers(false)", "cjson.encode_keep_buffer(true)",
    ],
)  # fmt: skip
def test_settings_of_json(pair: Any, call: str) -> None:
    pair.lua(SHOW + f"return {{pcall(function() return show({{{call}}}) end)}}")
    pair.lua(f"{call}")
    pair.same("SCRIPT", "FLUSH")


def test_settings_of_json_have_their_effect(pair: Any) -> None:
    pair.lua("cjson.encode_sparse_array(true) return cjson.encode({[1000]=1})")
    pair.lua("cjson.encode_number_precision(3) return cjson.encode({1/3, 1e10, 12345})")
    pair.lua("cjson.encode_max_depth(2) return cjson.encode({{1}})")
    pair.lua("return cjson.encode({{{1}}})")
    pair.lua("cjson.encode_invalid_numbers('null') return cjson.encode({1/0, 0/0})")
    pair.lua("cjson.encode_invalid_numbers(true) return cjson.encode({1/0, -1/0, 0/0})")
    pair.lua("cjson.decode_invalid_numbers(false) return cjson.decode('0x10')")
    pair.lua("return cjson.decode('[01]')")
    pair.lua("return cjson.decode('nan')")
    pair.lua("cjson.decode_max_depth(1) return cjson.decode('[[]]')")
    pair.lua("local other = cjson.new() return other.encode({{{{1}}}}) .. other._NAME")
    pair.same("SCRIPT", "FLUSH")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    # a negative zero loses its sign on the way to Python
    | st.floats(allow_nan=False).map(lambda number: number or 0.0)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=4), inner, max_size=1),
    max_leaves=12,
)
"""Objects have one member: with more, Valkey's Lua has another order than Redis's and ours."""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_any_json_is_read_and_written_alike(pair: Any, value: object) -> None:
    text = json.dumps(value)
    pair.lua(SHOW + "return show(cjson.decode(ARGV[1]))", text)
    pair.lua("return cjson.encode(cjson.decode(ARGV[1]))", text)
    pair.lua("return cmsgpack.pack(cjson.decode(ARGV[1]))", text)
    pair.lua(SHOW + "return show(cmsgpack.unpack(cmsgpack.pack(cjson.decode(ARGV[1]))))", text)


@pytest.mark.parametrize(
    "values",
    [
        "", "nil", "true", "false", "0", "127", "128", "255", "256", "65535", "65536", "2^32-1", "2^32", "2^53", "2^62", "2^63", "2^64",
        "-1", "-32", "-33", "-128", "-129", "-32768", "-32769", "-2^31", "-2^31-1", "-2^63", "0.5", "0.1", "1e300", "1/0", "-1/0",
        "'a'", "('x'):rep(31)", "('x'):rep(32)", "('x'):rep(256)", "('x'):rep(65536)", "{}", "{1,2}", "{1,nil,3}", "{a=1}", "{[0]=1}",
        "{[1.5]=1}", "{[2]=2,[1]=1}", "1, 'a', {1}", "print", "redis.call", "cjson.null", "{{{}}}", "nil, nil",
    ],
)  # fmt: skip
def test_messagepack_of_lua_values(pair: Any, values: str) -> None:
    pair.lua(f"return cmsgpack.pack({values})")


def test_messagepack_of_long_tables(pair: Any) -> None:
    for size in (15, 16, 300, 70000):
        pair.lua("local t = {} for i = 1, tonumber(ARGV[1]) do t[i] = i end return #cmsgpack.pack(t)", size)
    pair.lua("local t = {} for i = 1, 20 do t['k' .. i] = i end return #cmsgpack.pack(t)")
    pair.lua("local t = {} for i = 1, 20000 do t[i] = i end return #cmsgpack.unpack(cmsgpack.pack(t))")


@pytest.mark.parametrize(
    "data",
    [
        "", "00", "7f", "e0", "ff", "cc80", "cc", "cdffff", "ceffffffff", "cfffffffffffffffff", "cf0000000000000001", "d080", "d1ffff",
        "d18001", "d280000000", "d38000000000000000", "c0", "c1", "c2", "c3", "c4", "ca3f800000", "cb3ff0000000000000", "cb", "a161",
        "a1", "d90161", "da000161", "db0000000161", "d9", "dbffffffff", "90", "93010203", "9301", "dc000101", "dd0000000101", "80",
        "81a16101", "81a161", "de0001a16101", "df00000001a16101", "81c001", "0102a161c0", "c7", "d4", "9191919191", "91c1", "ddffffffff",
        "cb7ff8000000000000", "81cb7ff800000000000001",
    ],
)  # fmt: skip
def test_lua_values_of_messagepack(pair: Any, data: str) -> None:
    raw = bytes.fromhex(data)
    for call in (
        "unpack(ARGV[1])",
        "unpack_one(ARGV[1])",
        "unpack_limit(ARGV[1], 2, 0)",
        "unpack_one(ARGV[1], 1)",
    ):
        pair.lua(SHOW + f"return show({{cmsgpack.{call}}})", raw)


@pytest.mark.parametrize(
    "call",
    [
        "unpack()", "unpack({})", "unpack(1)", "unpack_one('a', -1)", "unpack_one('a', 5)", "unpack_limit('a')", "unpack_limit('a', -1)",
        "unpack_limit('ab', 1, 1)", "unpack_limit('ab', 0, 0)", "unpack_limit('ab', 'x')", "unpack_one('ab', 'x')",
    ],
)  # fmt: skip
def test_what_messagepack_refuses(pair: Any, call: str) -> None:
    pair.lua(SHOW + f"return show({{cmsgpack.{call}}})")


@pytest.mark.parametrize(
    "arguments",
    [
        "'b', 1", "'B', 255", "'b', -1", "'b', 300", "'h', -2", "'>h', 1", "'<h', 1", "'H', 65535", "'l', -1", "'L', 2^63", "'L', 2^64",
        "'T', 1e20", "'i', 7", "'i3', -7", "'I16', 5", "'i16', -5", "'i32', 1", "'i33', 1", "'i99999999999', 1", "'f', 0.1", "'>d', 0.1",
        "'d', 1/0", "'f', 1e300", "'s', 'abc'", "'c0', 'abc'", "'c', 'abc'", "'c5', 'abc'", "'c2', 'abc'", "'x'", "'bxb', 1, 2", "'!4bi', 1, 2",
        "'!bl', 1, 2", "'!3i', 1", "'!8bd', 1, 2", "'!4bh', 1, 2", "'b b', 1, 2", "'y', 1", "'b'", "'b', 'x'", "'b', '7'", "'b', {}", "",
        "1", "{}", "'s', 5", "'', 1", "'>I2<I2', 1, 1", "'i0', 5", "'c0'", "'b\\0b', 1", "'i', 1.7", "'i', -1.7", "'I', 2^32 + 1", "'\\200', 1",
    ],
)  # fmt: skip
def test_struct_packs(pair: Any, arguments: str) -> None:
    pair.lua(f"return struct.pack({arguments})")


@pytest.mark.parametrize(
    "arguments",
    [
        "'b', '\\255'", "'B', '\\255'", "'h', '\\1\\255'", "'>H', '\\1\\255'", "'i3', '\\255\\255\\255'", "'I3', '\\255\\255\\255'",
        "'l', ('\\255'):rep(8)", "'L', ('\\255'):rep(8)", "'i16', ('\\255'):rep(16)", "'>I16', ('\\1'):rep(16)", "'f', 'abcd'", "'>d', 'abcdefgh'",
        "'s', 'abc\\0def'", "'s', 'abc'", "'c2', 'abc'", "'c0', 'abc'", "'bc0', '\\2abc'", "'bc0', '\\9abc'", "'bc0', '\\255abc'", "'xb', 'ab'",
        "'!4bi', ('\\1'):rep(8)", "'b', ''", "'b', 'a', 2", "'b', 'ab', 2", "'b', 'a', 0", "'b', 'a', -1", "'b', 'a', 'x'", "'b'", "'y', 'a'",
        "'', 'a'", "'bbb', 'ab'", "'c1c0', '1abc'", "'i32', ('\\1'):rep(32)", "'s', 'a\\0', 3", "'s', 'a\\0', 4", "'T', 'abcdefgh'",
    ],
)  # fmt: skip
def test_struct_unpacks(pair: Any, arguments: str) -> None:
    pair.lua(SHOW + f"return show({{struct.unpack({arguments})}})")


@pytest.mark.parametrize(
    "layout", ["'b'", "'bhil'", "'!bl'", "'s'", "'c0'", "'c9'", "'i7>x'", "'y'", "", "'!4bi!8d'", "'i33'"]
)
def test_struct_sizes(pair: Any, layout: str) -> None:
    pair.lua(f"return struct.size({layout})")


@pytest.mark.parametrize(
    "name",
    ["tobit", "bnot", "bswap", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "tohex"],
)
def test_bits(pair: Any, name: str) -> None:
    arguments = [
        "", "0", "1", "-1", "255, 15", "2^31", "2^32", "2^32 + 1", "2^40 + 7, 3", "-2^31, 4", "0.5", "1.5", "2.5", "-0.5", "1e15, 2", "2^51, 1",
        "2^60, 1", "0xffffffff, 33", "7, -1", "'12', '2'", "'x'", "nil", "{}", "1, 'x'", "305419896, 8", "1, 2, 4, 8", "305419896, -4",
        "1, 0", "1, 100", "1/0", "0/0", "-1, 31", "true",
    ]  # fmt: skip
    for each in arguments:
        pair.lua(f"return tostring(bit.{name}({each}))")


def test_dice_with_a_seed_fall_alike(pair: Any) -> None:
    for seed in (0, 1, -5, 123456789, 2**40):
        pair.lua(
            "math.randomseed(ARGV[1]) local t = {} for i = 1, 20 do t[i] = tostring(math.random()) end return t",
            seed,
        )
        pair.lua(
            "math.randomseed(ARGV[1]) local t = {} for i = 1, 20 do t[i] = math.random(100) end return t",
            seed,
        )
        pair.lua(
            "math.randomseed(ARGV[1]) local t = {} for i = 1, 20 do t[i] = math.random(-5, 5) end return t",
            seed,
        )
    for call in (
        "random(0)",
        "random(2, 1)",
        "random('x')",
        "random(1, 2, 3)",
        "randomseed()",
        "random({})",
        "random(1.9)",
    ):
        pair.lua(f"math.randomseed(7) return tostring((math.{call}))")
