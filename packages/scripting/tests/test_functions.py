"""FUNCTION and FCALL beside a real server's: each reply, byte by byte."""

from __future__ import annotations

from typing import Any

import pytest

from cutaway.commands import CommandError, Engine


def library(body: str, name: str = "lib", engine: str = "lua") -> str:
    return f"#!{engine} name={name}\n{body}"


GET = "redis.register_function('get', function(keys, args) return redis.call('get', keys[1]) end)"
SET = "redis.register_function('set', function(keys, args) return redis.call('set', keys[1], args[1]) end)"
READER = """redis.register_function{function_name='reader', description='reads', flags={'no-writes', 'allow-stale'},
    callback=function(keys, args) return redis.call('get', keys[1]) end}"""


def test_a_function_runs_with_its_keys_and_arguments(twins: Any) -> None:
    twins.same("FUNCTION", "LOAD", library(GET + "\n" + SET))
    twins.same("FCALL", "set", 1, "k", "v")
    twins.same("FCALL", "get", 1, "k")
    twins.same("FCALL", "get", 0)
    twins.same("FUNCTION", "DELETE", "lib")
    twins.same("FCALL", "get", 1, "k")


def test_both_forms_of_registering(twins: Any) -> None:
    twins.same("FUNCTION", "LOAD", library(READER))
    twins.same("FUNCTION", "LIST")
    twins.same("FUNCTION", "LIST", "WITHCODE", "LIBRARYNAME", "l*")
    twins.same("FUNCTION", "LIST", "LIBRARYNAME", "x*")
    twins.same("FCALL_RO", "reader", 1, "k")
    twins.same("FUNCTION", "STATS")


@pytest.mark.parametrize(
    "body",
    [
        "redis.register_function()", "redis.register_function('a')", "redis.register_function('a', 1)",
        "redis.register_function(1, function() end)", "redis.register_function({}, function() end)",
        "redis.register_function('a', function() end, 3)", "redis.register_function('a b', function() end)",
        "redis.register_function('', function() end)", "redis.register_function('a\\0b', function() end)",
        "redis.register_function{}", "redis.register_function{function_name='a'}",
        "redis.register_function{callback=function() end}", "redis.register_function{function_name=1, callback=function() end}",
        "redis.register_function{function_name={}, callback=function() end}",
        "redis.register_function{function_name='a', callback='b'}",
        "redis.register_function{function_name='a', callback=function() end, description={}}",
        "redis.register_function{function_name='a', callback=function() end, flags='no-writes'}",
        "redis.register_function{function_name='a', callback=function() end, flags={'nope'}}",
        "redis.register_function{function_name='a', callback=function() end, flags={{}}}",
        "redis.register_function{function_name='a', callback=function() end, what=1}",
        "redis.register_function{function_name='a', callback=function() end, [{}]=1}",
        "redis.register_function{FUNCTION_NAME='a', Callback=function() end, FLAGS={'No-Writes'}}",
        "redis.register_function('a', function() end) redis.register_function('a', function() end)",
        "return 1", "x = 1", "local a = string.len('a')", "redis.call('ping')", "local a = redis.setresp", "error('no')",
        "not lua", "redis.register_function('a', function() return x end) local x = 1",
        "redis.x = 1", "local t = {} t.x.y = 1",
    ],
)  # fmt: skip
def test_what_a_library_may_do_while_it_is_loaded(twins: Any, body: str) -> None:
    twins.same("FUNCTION", "LOAD", library(body))
    twins.same("FUNCTION", "LIST")
    twins.same("FCALL", "a", 0)


@pytest.mark.parametrize(
    "source",
    [
        "", "return 1", "#!lua", "#!lua name=x", "#!lua\n", "#!lua name=\nx", "#!lua name=a-b\nx", "#!js name=a\nx",
        "#!LUA name=a\n" + GET, "#!lua name=a name=b\n" + GET, "#!lua name=a what=b\n" + GET, "#!lua NAME=a\n" + GET,
        "#! name=a\n" + GET, "#!lua name='a'\n" + GET, "#!lua name='a\n" + GET, "#!lua name=a\n",
    ],
)  # fmt: skip
def test_the_first_line_of_a_library(twins: Any, source: str) -> None:
    twins.same("FUNCTION", "LOAD", source)
    twins.same("FUNCTION", "LIST", "WITHCODE")


def test_names_are_unique_and_replacing_is_asked_for(twins: Any) -> None:
    twins.same("FUNCTION", "LOAD", library(GET))
    twins.same("FUNCTION", "LOAD", library(SET))
    twins.same("FUNCTION", "LOAD", library(GET, "other"))
    twins.same("FUNCTION", "LOAD", "REPLACE", library(SET))
    twins.same("FCALL", "get", 0)
    twins.same("FUNCTION", "LOAD", library(GET, "other"))
    twins.same("FUNCTION", "LOAD", "REPLACE", library(GET + SET))
    twins.same("FUNCTION", "LOAD", "replace", "REPLACE", library("nonsense", "other"))
    twins.same("FCALL", "get", 1, "k")
    twins.same("FUNCTION", "STATS")


@pytest.mark.parametrize(
    "words",
    [
        ["LOAD"], ["LOAD", "x", "y"], ["LIST", "x"], ["LIST", "LIBRARYNAME"], ["LIST", "WITHCODE", "WITHCODE"], ["DELETE", "x"],
        ["FLUSH", "x"], ["FLUSH", "SYNC", "x"], ["FLUSH", "ASYNC"], ["RESTORE", "x"], ["RESTORE", "x", "y"],
        ["RESTORE", "x", "FLUSH", "z"], ["KILL"], ["NOPE"], ["DUMP", "x"], ["STATS", "x"],
    ],
)  # fmt: skip
def test_wrong_words_are_refused_alike(twins: Any, words: list[str]) -> None:
    if words[0] == "RESTORE":
        twins.engine.extras["codec"] = Codec()
    twins.same("FUNCTION", *words)


@pytest.mark.parametrize("count", ["x", "-1", "1", "", "99999999999999999999"])
def test_the_number_of_keys_is_checked(twins: Any, count: str) -> None:
    twins.same("FUNCTION", "LOAD", library(READER))
    twins.same("FCALL", "reader", count)
    twins.same("FCALL", "absent", count)


def test_capitals_do_not_matter_in_the_names_of_functions(twins: Any) -> None:
    twins.same("FUNCTION", "LOAD", library(GET))
    twins.same("FCALL", "GeT", 1, "k")
    twins.same("FUNCTION", "LOAD", library(GET.replace("'get', f", "'GET', f"), "other"))
    twins.same("FUNCTION", "LOAD", library(SET, "LIB"))
    twins.same("FUNCTION", "DELETE", "Lib")


def test_a_function_without_no_writes_is_not_for_fcall_ro(twins: Any) -> None:
    twins.same("FUNCTION", "LOAD", library(GET + READER))
    twins.same("FCALL_RO", "get", 1, "k")
    twins.same("FCALL_RO", "reader", 1, "k")


def test_a_function_with_no_writes_cannot_write(twins: Any) -> None:
    body = "redis.register_function{function_name='f', callback=function(k) return redis.%s('set', k[1], 'x') end, flags={'no-writes'}}"
    twins.same("FUNCTION", "LOAD", library(body % "call"))
    twins.same("FCALL", "f", 1, "k")
    twins.same("FUNCTION", "LOAD", "REPLACE", library(body % "pcall"))
    twins.same("FCALL", "f", 1, "k")


@pytest.mark.parametrize(
    "body",
    [
        "error('my')", "return redis.error_reply('MY error')", "return redis.call('nope')", "return {err='my'}", "x = 1",
        "return _G.x", "return math.floor(1.5)", "redis.register_function('z', function() end)", "return {KEYS and 1 or 2}",
        "return type(redis.breakpoint)", "return redis.status_reply('fine')", "return cjson and 1",
    ],
)  # fmt: skip
def test_what_a_function_may_do_when_it_runs(twins: Any, body: str) -> None:
    twins.same(
        "FUNCTION", "LOAD", library(f"redis.register_function('f', function(keys, args)\n {body} end)")
    )
    twins.same("FCALL", "f", 0)


def test_local_variables_live_as_long_as_the_library(twins: Any) -> None:
    counter = "local n = 0 redis.register_function('next', function() n = n + 1 return n end)"
    twins.same("FUNCTION", "LOAD", library(counter))
    for _ in range(3):
        twins.same("FCALL", "next", 0)
    twins.same("FUNCTION", "LOAD", "REPLACE", library(counter))
    twins.same("FCALL", "next", 0)


class Codec:
    """A payload is the sources, with the lengths before them: what payloads really are is the persistence room's matter."""

    def dump_functions(self, sources: list[bytes]) -> bytes:
        return b"".join(b"%d:%s" % (len(source), source) for source in sources)

    def restore_functions(self, payload: bytes) -> list[bytes]:
        sources: list[bytes] = []
        while payload:
            size, colon, rest = payload.partition(b":")
            if not colon:
                raise CommandError("ERR DUMP payload version or checksum are wrong")
            sources.append(rest[: int(size)])
            payload = rest[int(size) :]
        return sources


def test_libraries_are_dumped_and_restored(engine: Engine) -> None:
    engine.extras["codec"] = Codec()
    engine.do("FUNCTION", "LOAD", library(GET))
    engine.do("FUNCTION", "LOAD", library(SET, "other"))
    payload = engine.do("FUNCTION", "DUMP")
    assert isinstance(payload, bytes)
    assert str(engine.do("FUNCTION", "RESTORE", payload)) == "ERR Library lib already exists"
    assert engine.do("FUNCTION", "RESTORE", payload, "REPLACE") == "OK"
    engine.do("FUNCTION", "DELETE", "lib")
    engine.do("FUNCTION", "LOAD", library(GET, "third"))
    assert str(engine.do("FUNCTION", "RESTORE", payload, "REPLACE")) == "ERR Function get already exists"
    assert engine.do("FUNCTION", "RESTORE", payload, "FLUSH") == "OK"
    assert engine.extras["function_libraries"]() == [library(GET).encode(), library(SET, "other").encode()]
    assert engine.do("FCALL", "set", 1, "k", "v") == "OK"


def test_a_restore_that_fails_changes_nothing(engine: Engine) -> None:
    codec = engine.extras["codec"] = Codec()
    engine.do("FUNCTION", "LOAD", library(GET))
    payload = codec.dump_functions([library(SET, "fine").encode(), library("nonsense", "bad").encode()])
    for policy in ("FLUSH", "APPEND", "REPLACE"):
        assert "Error compiling function" in str(engine.do("FUNCTION", "RESTORE", payload, policy))
        assert engine.extras["function_libraries"]() == [library(GET).encode()]
        assert str(engine.do("FCALL", "set", 0)) == "ERR Function not found"


def test_changes_of_libraries_are_logged_as_sent_and_calls_as_their_effects(engine: Engine) -> None:
    logged: list[Any] = []
    engine.on_propagate = (lambda effects: logged.extend(argv for _, argv in effects),)
    engine.do("FUNCTION", "LOAD", library(SET))
    engine.do("FUNCTION", "LOAD", library(SET))
    engine.do("FCALL", "set", 1, "k", "v")
    engine.do("FUNCTION", "FLUSH")
    assert [list(argv) for argv in logged] == [
        [b"FUNCTION", b"LOAD", library(SET).encode()],
        [b"set", b"k", b"v"],
        [b"FUNCTION", b"FLUSH"],
    ]


def test_a_library_that_loads_for_too_long_is_stopped(engine: Engine) -> None:
    reply = str(engine.do("FUNCTION", "LOAD", library("local a = 1 while true do a = a + 1 end")))
    assert reply == "ERR Error registering functions: ERR FUNCTION LOAD timeout"
    assert engine.do("FUNCTION", "LOAD", library(GET)) == b"lib"
