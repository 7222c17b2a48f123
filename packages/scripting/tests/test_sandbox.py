"""The sandbox: what a script must not reach, tried in many ways, and what it is told, which is what a real server says."""

from __future__ import annotations

from typing import Any

import pytest

from cutaway.commands import Command, Engine
from cutaway.scripting.interpreter import Interpreter


@pytest.mark.parametrize(
    "body",
    [
        "return x", "x = 1", "local function f() y = 1 end f()", "return _G.x", "_G.x = 1", "_G['print'] = 1", "rawset(_G, 'x', 1)",
        "redis.call = nil", "redis.x = 1", "rawset(redis, 'x', 1)", "string.x = 1", "math.random = nil", "table.insert(redis, 1)",
        "table.insert(_G, 1)", "table.remove(redis)", "table.sort(redis)", "cjson.encode = nil", "cmsgpack.x = 1", "bit.x = 1",
        "struct.x = 1", "setmetatable(_G, {})", "setmetatable(redis, {})", "setmetatable(_G, nil)", "setmetatable(string, {})",
        "getmetatable(_G).__index = nil", "getmetatable(_G).x = 1", "getmetatable('').__index = nil", "getmetatable('').x = 1",
        "rawset(getmetatable(_G), '__index', 1)", "rawset(getmetatable(''), '__index', 1)", "return getmetatable(redis)",
        "return type(getmetatable(_G))", "return type(getmetatable(''))", "return loadfile", "return dofile('/etc/passwd')", "print('x')",
        "require('os')", "return module", "return package", "return io", "return debug", "return setfenv", "return getfenv",
        "return newproxy", "return os.execute", "return os.exit", "return os.getenv('HOME')", "return os.time()", "return python",
        "return string.dump", "return loadstring(string.dump(function() return 1 end))()",
          "loadstring('return redis.call(\"ping\")')()",
        "return loadstring('return 1')()", "return {loadstring('nonsense')}", "return {loadstring('nonsense', 'name')}",
        "return {load(function() return nil end)}", "return load(function() error('no') end)", "return pcall(load, 1)",
        "local t = {} setmetatable(t, {__index = _G}) return t.x", "return rawget(_G, 'x')", "return rawget(redis, 'nothing')",
        "return rawequal(_G, _G)", "return #redis", "return type(next(redis))", "return type(rawget(_G, 'redis'))",
        "local n = 0 for k in pairs(_G) do n = n + 1 end return n > 20", "return ipairs(redis)(redis, 0)", "return _G._G == _G",
        "return coroutine.resume(coroutine.create(function() error('a') end))", "return xpcall(function() return x end, tostring)",
        "return pcall(error)", "return {pcall(error, {err = 'E'})}",  "error('text')", "error({})", "error()",
        "error(nil)", "error(5)", "error(true)", "error({err = 5})", "local t = setmetatable({}, {__tostring = function() return 'q' end}) error(t)",
        "return tostring(redis):sub(1, 6)", "return tostring(redis.call):sub(1, 9)", "return getmetatable(redis.call)", "return redis.call.x",
        "redis.call.x = 1", "return redis.call.__class__", "return #redis.call", "return redis.call + 1", "return redis.call .. ''",
        "return ('x'):rep(10)", "return ('%d'):format('x')", "return string.format('%s', redis.nothing)", "return unpack({}, 1, 1e8)",
        "return ('x'):rep(-1)", "return table.concat({1, {}})", "return select(0)", "pcall()",
        "return gcinfo() > 0", "return collectgarbage('count') > 0", "collectgarbage('nonsense')", "return type(collectgarbage())",
        "return tostring(setmetatable({}, {__metatable = 'locked'}))== nil", "return getmetatable(setmetatable({}, {__metatable = 'locked'}))",
        "setmetatable(setmetatable({}, {__metatable = 1}), {})", "setmetatable(1, {})", "setmetatable({}, 1)", "setmetatable({})", "getmetatable()",
        "rawget(1)", "rawset({})", "next({}, 'x')", "next(1)", "pairs()", "ipairs()",  "xpcall(1)", "tonumber()", "tonumber('z', 36)",
        "return server.call('ping')", "return server == redis", "redis.pcall('set')", "return redis.pcall('set')", "return redis.call('set', 'a')",
    ],
)  # fmt: skip
def test_a_script_hears_what_a_real_server_says(pair: Any, body: str) -> None:
    pair.lua(body)


ESCAPES = [
    # attributes and items of what the host gave
    "return redis.call.__globals__", "return redis.call['__self__']", "return redis.log.__func__.__globals__",
    "local f = redis.call return f.__code__", "return tostring(redis.sha1hex.__init__)", "return cjson.null.__class__",
    "return cjson.null[1]", "cjson.null.x = 1", "return getmetatable(cjson.null).__index", "return #cjson.null",
    # an error that came from Python, caught in every way there is
    "local ok, e = pcall(redis.call) return tostring(e.__traceback__ or e.err.__class__)",
    "local ok, e = pcall(redis.call, {}) return e.args[1]", "local ok, e = xpcall(redis.call, function(e) return e end) return e.__class__",
    "local c = coroutine.create(redis.call) local ok, e = coroutine.resume(c) return e.__class__",
    "local c = coroutine.wrap(function() return redis.call() end) local ok, e = pcall(c) return e.__traceback__",
    "local ok, e = pcall(load, function() return redis.call() end) return e.__class__",
    "local t = setmetatable({}, {__index = redis.call}) local ok, e = pcall(function() return t.x end) return e.__class__",
    "local ok, e = pcall(table.sort, {3, 1, 2}, redis.call) return e.__class__",
    "local ok, e = pcall(string.gsub, 'a', 'a', redis.call) return e.__class__",
    "local ok, e = pcall(cjson.decode, '[') return e.__class__", "local ok, e = pcall(struct.pack, 'y') return e.__class__",
    # the library that made the bridge
    "return python.eval('1')", "return python.builtins", "return _G.python.builtins", "return package.loaded.python",
    "return debug.getregistry()", "return debug.getinfo(1)", "return getfenv(0).python", "return getfenv(redis.call).python",
    "return setfenv(1, {})", "return newproxy(true)", "return require('lupa')", "return module('x')",
    # the original libraries behind the stand-ins
    "return rawget(getmetatable(redis), '__index').call", "return getmetatable(redis).__index", "return getmetatable(getmetatable('').__index)",
    "for k, v in next, getmetatable('') do v.x = 1 end", "for k, v in pairs(getmetatable('')) do v.len = nil end",
    "for k, v in pairs(getmetatable(_G)) do rawset(v, 'x', 1) end", "local g for k, v in next, _G do if k == '_G' then g = v end end g.x = 1",
    "return string.dump(redis.call)", "return loadstring(string.dump(redis.log))",
]  # fmt: skip


@pytest.mark.parametrize("body", ESCAPES)
def test_no_way_out(engine: Engine, body: str) -> None:
    before = engine.do(
        "EVAL", "return {('x'):len(), type(redis.call), type(string.len), rawget(_G, 'x') or 0}", 0
    )
    reply = str(engine.do("EVAL", body, 0))
    assert "built-in" not in reply
    assert "<class" not in reply
    assert "internal error" not in reply
    assert (
        engine.do("EVAL", "return {('x'):len(), type(redis.call), type(string.len), rawget(_G, 'x') or 0}", 0)
        == before
    )


def test_whatever_a_script_holds_is_of_luas_own_kinds(engine: Engine) -> None:
    body = """
        local seen, odd = {}, {}
        local function walk(name, value)
            local kind = type(value)
            if kind == 'userdata' and value ~= cjson.null then odd[#odd + 1] = name end
            if kind ~= 'table' or seen[value] then return end
            seen[value] = true
            for k, v in pairs(value) do walk(name .. '.' .. tostring(k), v) end
            walk(name .. '.metatable', getmetatable(value))
        end
        walk('_G', _G)
        walk('string', getmetatable(''))
        for _, f in ipairs({redis.call, redis.pcall, cjson.decode, struct.pack, function() return x end}) do
            local ok, e = pcall(f)
            walk('error', e)
        end
        return odd
    """
    assert engine.do("EVAL", body, 0) == []


def test_memory_is_bounded() -> None:
    pytest.importorskip("lupa.lua51")
    lua = Interpreter(lambda: None, memory=96 * 1024 * 1024)
    lua.seal()
    greedy = lua.compile(b"local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(100000) .. i end", b"@user_script")
    answer = lua.run(greedy, [], [], watched=False, as_function=False)
    assert answer[0] is False
    assert b"memory" in answer[1]
    fine = lua.compile(b"return 1", b"@user_script")
    assert list(lua.run(fine, [], [], watched=False, as_function=False))[:1] == [True]


def test_nesting_of_what_is_returned_is_bounded(engine: Engine) -> None:
    reply = engine.do("EVAL", "local a = {} a[1] = a return a", 0)
    depth = 0
    while isinstance(reply, list):
        reply, depth = reply[0], depth + 1
    assert str(reply) == "ERR reached lua stack limit"
    assert 100 < depth < 1000


def test_recursion_without_end_is_an_error(engine: Engine) -> None:
    assert "stack overflow" in str(engine.do("EVAL", "local function f() return 1 + f() end return f()", 0))


def test_one_script_leaves_nothing_for_the_next(engine: Engine) -> None:
    engine.do(
        "EVAL", "local t = redis t = nil pcall(rawset, redis, 'x', 1) pcall(function() leaked = 1 end)", 0
    )
    assert engine.do("EVAL", "return {rawget(redis, 'x') or 0, rawget(_G, 'leaked') or 0}", 0) == [0, 0]


def test_a_script_that_is_stopped_within_a_call_is_told_so_and_not_of_an_earlier_error() -> None:
    pytest.importorskip("lupa.lua51")
    looks = iter(range(10**6))
    lua = Interpreter(lambda: b"stopped" if next(looks) % 2 else None)

    def fail() -> None:
        raise lua.raise_table("ERR earlier")

    lua.define("redis", "fail", fail)
    lua.define("redis", "status", lambda: lua.to_lua.single(b"ok", b"PONG"))
    lua.seal()
    for instructions in range(30):  # so that the interrupt comes at each place of the loop in turn
        some = b" ".join([b"n = n + 1"] * instructions)
        body = b"local n = 0 pcall(redis.fail) %s while true do redis.status() end" % some
        script = lua.compile(body, b"@user_script")
        answer = lua.run(script, [], [], watched=True, as_function=False)
        assert list(answer[:2]) == [False, b"stopped"]


@pytest.mark.parametrize(
    ("body", "failures"),
    [
        ("return redis.call('select', 99)", 1), ("return redis.pcall('select', 99)", 1), ("redis.pcall('select', 99)", 0), ("error('x')", 1),
        ("return redis.error_reply('A b')", 1), ("return {1, redis.pcall('select', 99)}", 1), ("return redis.call('nosuch')", 1),
        ("return {redis.pcall('select', 99), redis.pcall('select', 99)}", 2),
        ("return {redis.error_reply('A b'), redis.error_reply('A b')}", 1), ("return 1", 0),
    ],
)  # fmt: skip
def test_a_call_with_an_error_in_its_reply_has_failed(
    engine: Engine, real_server: Any, body: str, failures: int
) -> None:
    for name in ("EVAL", "EVAL_RO"):
        engine.do(name, body, 0)
        command = engine.lookup([name.encode(), b"", b"0"])
        assert isinstance(command, Command)
        assert command.failed_calls == failures
    with real_server.connect() as peer:
        peer.ask("CONFIG", "RESETSTAT")
        peer.ask("EVAL", body, 0)
        stats = bytes(peer.ask("INFO", "commandstats")).decode()
    line = next(line for line in stats.splitlines() if line.startswith("cmdstat_eval:"))
    assert line.endswith(f"failed_calls={failures}")
