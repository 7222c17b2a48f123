"""What a module can add to an engine, and what happens when it errs."""

from __future__ import annotations

import pytest

from cutaway.commands import CommandError, FakeClock
from cutaway.modules import RW, ConfigError, Host, Module, ModuleError, ModuleValue
from cutaway.resp import NO_REPLY


def message(reply):
    assert isinstance(reply, CommandError), reply
    return reply.message


@pytest.fixture
def counters():
    module = Module("counters", version=3)

    @module.command("COUNTERS.ADD", flags="write fast", keys=RW(1), syntax="key [amount]")
    def add(ctx, key: bytes, amount: int = 1):
        """Adds to a counter. O(1)."""
        ctx.state[key] = ctx.state.get(key, 0) + amount
        ctx.changed()
        return ctx.state[key]

    @module.command("COUNTERS.ALL", flags="readonly")
    def everything(ctx, *names: str):
        """Returns counters. O(N)."""
        return {name.encode(): ctx.state.get(name.encode()) for name in names}

    return module


# ---- commands


def test_a_command_is_there_after_loading_with_the_arity_of_its_function(engine, modules, counters):
    assert message(engine.do("COUNTERS.ADD", "a")).startswith("ERR unknown command")
    modules.add(counters)
    assert engine.do("COUNTERS.ADD", "a", "2") == 2
    assert engine.do("counters.add", "a") == 3
    assert engine.do("COUNTERS.ALL", "a", "b") == {b"a": 3, b"b": None}
    assert message(engine.do("COUNTERS.ADD")) == "ERR wrong number of arguments for 'counters.add' command"
    assert message(engine.do("COUNTERS.ADD", "a", "x")) == "ERR value is not an integer or out of range"
    assert message(engine.do("COUNTERS.ADD", "a", "1", "2")) == "ERR syntax error"
    facts = engine.do("COMMAND", "INFO", "counters.add")[0]
    assert facts[1] == -2
    assert "module" in facts[2].items
    assert facts[3] == 1


def test_two_engines_share_a_declaration_and_no_state(engine, modules, counters):
    from cutaway.commands import Engine
    from cutaway.modules import install

    other = Engine()
    install(other).add(counters)
    modules.add(counters)
    engine.do("COUNTERS.ADD", "a")
    assert other.do("COUNTERS.ADD", "a") == 1


def test_after_unloading_its_commands_are_gone_and_it_can_come_back(engine, modules, counters):
    modules.add(counters)
    modules.unload("counters")
    assert message(engine.do("COUNTERS.ADD", "a")).startswith("ERR unknown command")
    modules.add(counters)
    assert engine.do("COUNTERS.ADD", "a") == 1


def test_a_command_that_raises_costs_one_reply_and_its_traceback_is_logged(engine, modules, caplog):
    module = Module("broken")
    module.command("BROKEN.ONE")(lambda _ctx: 1 // 0)
    module.command("BROKEN.REPLY")(lambda _ctx: [1, object()])
    modules.add(module)
    assert message(engine.do("BROKEN.ONE")).startswith(
        "ERR the module 'broken' failed with ZeroDivisionError"
    )
    assert "Traceback" in caplog.text
    assert message(engine.do("BROKEN.REPLY")).startswith("ERR the module 'broken' failed with TypeError")
    assert engine.do("PING") == "PONG"


@pytest.mark.parametrize("name", ["GET", "get"])
def test_a_taken_command_name_is_refused_and_nothing_is_left_behind(engine, modules, name):
    module = Module("greedy")
    module.setting("size", 1)
    module.command("GREEDY.FINE")(lambda _ctx: "OK")
    module.command(name)(lambda _ctx, _key: "mine")
    with pytest.raises(ModuleError, match="declared twice"):
        modules.add(module)
    assert engine.do("GET", "a") is None
    assert message(engine.do("GREEDY.FINE")).startswith("ERR unknown command")
    assert "greedy.size" not in engine.config
    assert engine.do("MODULE", "LIST") == []


def test_a_hook_that_raises_while_loading_refuses_the_module(engine, modules):
    module = Module("picky")
    module.command("PICKY.ONE")(lambda _ctx: "OK")

    @module.on_load
    def check(_ctx, arguments):
        if b"please" not in arguments:
            raise CommandError("ERR say please")

    with pytest.raises(ModuleError, match="say please"):
        modules.add(module)
    assert message(engine.do("PICKY.ONE")).startswith("ERR unknown command")
    modules.add(module, arguments=[b"please"])
    assert engine.do("PICKY.ONE") == "OK"


def test_a_module_that_is_needed_must_be_there_first_and_stays(engine, modules, counters):
    module = Module("dependent", requires=("counters",))
    with pytest.raises(ModuleError, match="needs the module 'counters', which is not loaded"):
        modules.add(module)
    modules.add(counters)
    modules.add(module)
    with pytest.raises(ModuleError, match="the module 'dependent' needs it"):
        modules.unload("counters")


@pytest.mark.parametrize("name", ["", "a b", "x" * 65])
def test_a_name_that_would_not_do_is_refused(name):
    with pytest.raises(ValueError, match="not a name"):
        Module(name)


def test_a_parameter_of_an_unknown_kind_is_refused_when_declared():
    def function(_ctx, _key: complex):
        return 1

    with pytest.raises(ValueError, match="a parameter cannot be complex"):
        Module("m").command("M.X")(function)


# ---- what is logged


def test_a_write_is_logged_as_it_was_sent_and_its_inner_calls_are_not(engine, modules, logged):
    module = Module("m")

    @module.command("M.TWICE", flags="write")
    def twice(ctx, key: bytes):
        ctx.call("INCR", key)
        return ctx.call("INCR", key)

    @module.command("M.SHOWN", flags="write")
    def shown(ctx, key: bytes):
        return ctx.call("INCR", key, replicate=True)

    modules.add(module)
    assert engine.do("M.TWICE", "n") == 2
    assert logged == [(b"M.TWICE", b"n")]


def test_what_is_to_be_replicated_takes_the_place_of_the_command(engine, modules, logged):
    module = Module("m")

    @module.command("M.DRAW", flags="write")
    def draw(ctx, key: bytes):
        number = ctx.random.randrange(10)
        ctx.call("SET", key, number)
        ctx.replicate("SET", key, number)
        return number

    modules.add(module)
    number = engine.do("M.DRAW", "n")
    assert logged == [(b"SET", b"n", b"%d" % number)]


def test_a_command_that_changed_nothing_is_not_logged(engine, modules, logged):
    module = Module("m")
    module.command("M.NOTHING", flags="write")(lambda ctx: ctx.call("GET", "x"))
    modules.add(module)
    engine.do("M.NOTHING")
    assert logged == []


def test_an_error_of_an_inner_call_is_raised_and_can_be_caught(engine, modules):
    module = Module("m")

    @module.command("M.TRY")
    def attempt(ctx, name: str):
        try:
            return ctx.call(name)
        except CommandError as error:
            return error.code

    module.command("M.PASS")(lambda ctx: ctx.call("INCR", "text"))
    modules.add(module)
    engine.do("SET", "text", "abc")
    assert engine.do("M.TRY", "NOSUCH") == "ERR"
    assert message(engine.do("M.PASS")) == "ERR value is not an integer or out of range"


# ---- types


class Stack(ModuleValue, type_name="teststack", version=1):
    def __init__(self, items=()):
        self.items = list(items)

    def save(self):
        return self.items

    @classmethod
    def load(cls, tokens, version):
        assert version <= 1
        return cls(tokens)


@pytest.fixture
def stacks():
    module = Module("stacks")
    module.data_type(Stack)

    @module.command("STACK.PUSH", flags="write", keys=RW(1))
    def push(ctx, key: bytes, item: bytes):
        opened = ctx.open_key(key)
        stack = opened.edit(Stack, Stack)
        stack.items.append(item)
        opened.changed("stack.push")
        return len(stack.items)

    @module.command("STACK.TOP", flags="readonly")
    def top(ctx, key: bytes):
        stack = ctx.open_key(key).get(Stack)
        return None if stack is None else stack.items[-1]

    return module


def test_a_value_of_its_own_type_is_a_key_like_any_other(engine, modules, stacks, clock: FakeClock):
    modules.add(stacks)
    assert engine.do("STACK.PUSH", "s", "a") == 1
    assert engine.do("TYPE", "s") == "teststack"
    assert message(engine.do("GET", "s")).startswith("WRONGTYPE")
    assert engine.do("COPY", "s", "t") == 1
    engine.do("STACK.PUSH", "t", "b")
    assert (engine.do("STACK.TOP", "s"), engine.do("STACK.TOP", "t")) == (b"a", b"b")
    engine.do("PEXPIRE", "s", "10")
    clock.advance(11)
    assert engine.do("STACK.TOP", "s") is None
    engine.do("SET", "plain", "x")
    assert message(engine.do("STACK.PUSH", "plain", "a")).startswith("WRONGTYPE")


def test_a_module_whose_values_are_held_cannot_go(engine, modules, stacks):
    modules.add(stacks)
    engine.do("STACK.PUSH", "s", "a")
    assert message(engine.do("MODULE", "UNLOAD", "stacks")) == (
        "ERR Error unloading module: 1 key holds a value of its types"
    )
    engine.do("DEL", "s")
    assert engine.do("MODULE", "UNLOAD", "stacks") == "OK"


def test_a_type_name_that_is_taken_is_refused(modules, stacks):
    modules.add(stacks)
    other = Module("other")
    other.data_type(Stack)
    with pytest.raises(ModuleError, match="the type name 'teststack' is taken"):
        modules.add(other)


# ---- settings


def test_a_setting_is_a_directive_and_its_module_may_refuse_a_value(engine, modules):
    module = Module("m")
    seen = []

    def changed(_ctx, value):
        if value == 13:
            raise ConfigError("not that one")
        seen.append(value)

    module.setting("size", 5, low=1, high=20, on_change=changed)
    module.setting("mode", "fast", words=("fast", "slow"))
    module.command("M.SIZE")(lambda ctx: [ctx.setting("size"), ctx.setting("mode").encode()])
    modules.add(module, settings=[("size", "7"), ("m.mode", "slow")])
    assert engine.do("M.SIZE") == [7, b"slow"]
    engine.config.set([("m.size", "9")])
    with pytest.raises(ConfigError, match="not that one"):
        engine.config.set([("m.size", "13")])
    with pytest.raises(ConfigError):
        engine.config.set([("m.size", "21")])
    assert seen[0] == 7
    assert seen[-1] == 9
    modules.unload("m")
    assert "m.size" not in engine.config


# ---- ACL categories


def test_categories_of_its_own_are_its_commands_and_unknown_ones_are_refused(engine, modules):
    module = Module("shop", acl_categories=("shop",))
    module.command("SHOP.BUY", acl="shop dangerous")(lambda _ctx: "OK")
    loaded = modules.add(module)
    assert loaded.commands[0].acl_categories == {"shop", "dangerous", "slow"}
    assert engine.do("COMMAND", "INFO", "SHOP.BUY")[0][6].items[-1] == "@shop"
    assert engine.do("COMMAND", "LIST", "FILTERBY", "MODULE", "shop") == [b"shop.buy"]
    with pytest.raises(ModuleError, match="the ACL category 'shop' is taken"):
        modules.add(Module("other", acl_categories=("shop",)))
    with pytest.raises(ModuleError, match="the ACL category 'read' is taken"):
        modules.add(Module("other", acl_categories=("read",)))
    stray = Module("stray")
    stray.command("STRAY.X", acl="nowhere")(lambda _ctx: "OK")
    with pytest.raises(ModuleError, match="in an unknown ACL category, 'nowhere'"):
        modules.add(stray)
    modules.unload("shop")
    assert modules.categories() == []
    with pytest.raises(ValueError, match="not a name for a category"):
        Module("m", acl_categories=("Shop",))


# ---- events, filters, timers


def test_it_hears_of_the_events_it_asked_for_and_may_act_on_them(engine, modules, logged):
    module = Module("m")

    @module.on_key_event("set")
    def on_set(ctx, event, key):
        assert event == "set"
        if key != b"last":
            ctx.call("SET", "last", key)

    modules.add(module)
    engine.do("SET", "a", "1")
    engine.do("INCR", "a")
    assert engine.do("GET", "last") == b"a"
    assert (b"SET", b"last", b"a") in logged
    assert (b"SET", b"a", b"1") in logged
    modules.unload("m")
    engine.do("SET", "b", "1")
    assert engine.do("GET", "last") == b"a"


def test_a_filter_puts_another_request_in_the_place_of_one(engine, modules):
    module = Module("m")
    module.filter_commands(lambda _ctx, argv: [b"GET", *argv[1:]] if argv[0].upper() == b"FETCH" else None)
    modules.add(module)
    engine.do("SET", "a", "1")
    assert engine.do("FETCH", "a") == b"1"
    modules.unload("m")
    assert message(engine.do("FETCH", "a")).startswith("ERR unknown command")
    assert engine.filters == ()


def test_without_a_filter_there_is_nothing_to_ask_before_a_command(engine, modules, counters):
    modules.add(counters)
    assert engine.filters == ()
    assert engine.gates == ()
    assert engine.keyspace.on_change == ()


def test_a_filters_nonsense_is_not_run(engine, modules, caplog):
    module = Module("m")
    module.filter_commands(lambda _ctx, argv: ["GET", 5] if argv[0] == b"GET" else None)
    modules.add(module)
    engine.do("SET", "a", "1")
    assert engine.do("GET", "a") == b"1"
    assert "words that are not bytes" in caplog.text


def test_what_a_listener_writes_is_not_taken_for_the_doing_of_the_command(engine, modules, logged, clock):
    module = Module("m")
    module.on_key_event("expired")(lambda ctx, _event, key: ctx.call("SET", "last", key))
    modules.add(module)
    engine.do("SET", "a", "1", "PX", "10")
    logged.clear()
    clock.advance(20)
    assert engine.do("GET", "a") is None
    assert (b"GET", b"a") not in logged
    assert (b"SET", b"last", b"a") in logged
    dirty = engine.keyspace.dirty
    engine.cron()
    assert engine.keyspace.dirty > dirty


def test_a_timer_that_starts_itself_anew_does_not_keep_the_server(engine, modules, clock):
    module = Module("m", state=list)

    def again(ctx):
        ctx.state.append(ctx.now)
        ctx.after(0, again)

    module.command("M.GO")(lambda ctx: ctx.after(0, again) and "OK")
    loaded = modules.add(module)
    engine.do("M.GO")
    engine.cron()
    assert len(loaded.state) == 1


def test_the_host_is_told_when_the_next_timer_is_due(engine, modules, clock):
    moments = []

    class Alarm(Host):
        def wake_at(self, moment):
            moments.append(moment - clock())

    modules.host = Alarm()
    module = Module("m")
    module.command("M.AFTER")(lambda ctx, delay: ctx.after(int(delay), lambda _ctx: None) and "OK")
    modules.add(module)
    for delay in ("50", "80", "20"):
        engine.do("M.AFTER", delay)
    assert moments == [50, 20]
    clock.advance(30)
    modules.run_timers(clock())
    assert moments[2:] == [20]


def test_a_timer_runs_once_when_its_time_has_come_unless_cancelled(engine, modules, clock: FakeClock):
    module = Module("m")

    @module.command("M.LATER")
    def later(ctx, key: bytes):
        ctx.after(100, lambda other: other.call("INCR", key))
        ctx.after(100, lambda other: other.call("INCR", "never")).cancel()
        return "OK"

    modules.add(module)
    engine.do("M.LATER", "n")
    engine.cron()
    assert engine.do("GET", "n") is None
    clock.advance(100)
    engine.cron()
    engine.cron()
    assert (engine.do("GET", "n"), engine.do("GET", "never")) == (b"1", None)


def test_server_events_reach_it(engine, modules):
    module = Module("m", state=list)
    for event in ("connect", "disconnect", "flush", "cron"):
        module.on_server_event(event)(lambda ctx, event: ctx.state.append(event.name))
    loaded = modules.add(module)
    client = engine.connect()
    client.close()
    engine.keyspace.flush(engine.keyspace.databases)
    engine.cron()
    assert loaded.state == ["connect", "disconnect", "flush", "cron"]
    with pytest.raises(ValueError, match="no such event"):
        module.on_server_event("weather")


# ---- clients that wait


@pytest.fixture
def postbox():
    module = Module("post", state=list)

    @module.command("POST.WAIT", flags="blocking")
    def wait(ctx, timeout: int = 0):
        waiting = ctx.block(
            timeout, on_timeout=lambda _ctx: "too late", on_disconnect=lambda c: c.state.append("gone")
        )
        ctx.state.append(waiting)
        return waiting

    @module.command("POST.SEND")
    def send(ctx, text: bytes):
        return sum(waiting.reply(text) for waiting in ctx.state if not isinstance(waiting, str))

    @module.command("POST.SLOW")
    def slow(ctx, text: str):
        return ctx.in_background(text.upper)

    return module


def test_a_client_waits_until_it_is_answered(engine, modules, postbox):
    modules.add(postbox)
    inbox = []
    client = engine.connect(deliver=inbox.append)
    assert engine.execute(client, [b"POST.WAIT"]) is NO_REPLY
    assert message(engine.do("MODULE", "UNLOAD", "post")).endswith("clients wait for its answer")
    assert engine.do("POST.SEND", "hello") == 1
    assert inbox == [b"hello"]
    assert engine.do("POST.SEND", "again") == 0


def test_a_client_whose_time_is_over_gets_what_the_module_says(engine, modules, postbox, clock: FakeClock):
    modules.add(postbox)
    inbox = []
    client = engine.connect(deliver=inbox.append)
    engine.execute(client, [b"POST.WAIT", b"50"])
    clock.advance(51)
    engine.expire_blocked()
    assert inbox == ["too late"]


def test_a_client_that_goes_while_it_waits_is_told_of(engine, modules, postbox):
    loaded = modules.add(postbox)
    client = engine.connect()
    engine.execute(client, [b"POST.WAIT"])
    client.close()
    assert loaded.state[-1] == "gone"
    assert engine.do("POST.SEND", "hello") == 0


def test_in_a_transaction_nobody_waits(engine, modules, postbox):
    modules.add(postbox)
    client = engine.connect()
    client.deny_blocking = True
    assert message(engine.execute(client, [b"POST.WAIT"])) == (
        "ERR Blocking module command called from Lua script"
    )


def test_without_a_server_the_background_is_at_once(engine, modules, postbox):
    modules.add(postbox)
    assert engine.do("POST.SLOW", "abc") == b"ABC" or engine.do("POST.SLOW", "abc") == "ABC"


# ---- the state in files


def test_the_state_comes_back_from_tokens_and_from_commands(engine, modules, counters):
    counters.persist_state(
        "testcount",
        save=lambda state: [part for pair in state.items() for part in pair],
        load=lambda state, tokens, _version: state.update(zip(tokens, tokens, strict=True)),
        rewrite=lambda state: [(b"COUNTERS.ADD", key, b"%d" % number) for key, number in state.items()],
    )
    modules.add(counters)
    engine.do("COUNTERS.ADD", "a", "5")
    ((name, version, tokens),) = modules.data()
    assert (name, version, list(tokens)) == ("testcount", 0, [b"a", 5])
    assert list(modules.commands()) == [(b"COUNTERS.ADD", b"a", b"5")]
    assert modules.load_data("testcount", 0, [b"b", 7])
    assert engine.do("COUNTERS.ALL", "a", "b") == {b"a": None, b"b": 7}
    assert not modules.load_data("testcount", 1, [])
    assert not modules.load_data("testcount", 0, [b"half"])
    assert not modules.load_data("nobody---", 0, [])


# ---- MODULE


def test_module_load_list_and_unload(engine, tmp_path):
    file = tmp_path / "hello.py"
    file.write_text(
        "from cutaway.modules import Module\n"
        "module = Module('hello', version=7)\n"
        "@module.command('HELLO.SAY')\n"
        "def say(ctx, name: str = 'world'):\n"
        "    '''Greets. O(1).'''\n"
        "    return f'hello {name}'\n"
    )
    assert engine.do("MODULE", "LOAD", str(file), "an argument") == "OK"
    assert engine.do("HELLO.SAY", "you") == "hello you"
    assert engine.do("MODULE", "LIST") == [
        {b"name": b"hello", b"ver": 7, b"path": str(file).encode(), b"args": [b"an argument"]}
    ]
    assert "already" in message(engine.do("MODULE", "LOAD", str(file)))
    assert engine.do("MODULE", "UNLOAD", "hello") == "OK"
    file.write_text(file.read_text().replace("hello {name}", "bye {name}"))
    assert engine.do("MODULE", "LOAD", str(file)) == "OK"
    assert engine.do("HELLO.SAY") == "bye world"
    assert message(engine.do("MODULE", "UNLOAD", "nobody")).startswith(
        "ERR Error unloading module: no such module"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("module = 5", "that is a Module"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def (", "SyntaxError"),
        ("from cutaway.modules import Module\nmodule = Module('a b')", "not a name"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(engine, tmp_path, text, reason):
    file = tmp_path / "broken.py"
    file.write_text(text)
    reply = message(engine.do("MODULE", "LOAD", str(file)))
    assert reply.startswith("ERR Error loading the extension: ")
    assert reason in reply


def test_a_path_that_leads_nowhere_is_refused(engine):
    assert "there is no file" in message(engine.do("MODULE", "LOAD", "/no/such/file.py"))


def test_module_is_closed_unless_the_configuration_opens_it(engine):
    engine.config.assign("enable-module-command", "no")
    assert message(engine.do("MODULE", "LOAD", "x")).startswith("ERR MODULE command not allowed.")


def test_loadex_takes_settings_and_arguments(engine, tmp_path):
    file = tmp_path / "conf.py"
    file.write_text(
        "from cutaway.modules import Module\n"
        "module = Module('conf', state=list)\n"
        "module.setting('size', 1)\n"
        "@module.on_load\n"
        "def load(ctx, arguments):\n"
        "    ctx.state.extend(arguments)\n"
        "@module.command('CONF.ALL')\n"
        "def everything(ctx):\n"
        "    return [ctx.setting('size'), *ctx.state]\n"
    )
    assert engine.do("MODULE", "LOADEX", str(file), "CONFIG", "conf.size", "4", "ARGS", "a", "b") == "OK"
    assert engine.do("CONF.ALL") == [4, b"a", b"b"]
    assert message(engine.do("MODULE", "LOADEX", str(file), "CONFIG", "x")) == "ERR syntax error"


def test_info_tells_of_each_module_and_of_who_needs_whom(engine, modules, counters):
    tell = engine.info_sections["modules"]
    assert tell() == {"module": []}
    modules.add(counters)
    modules.add(Module("sums", requires=("counters",), filters=[lambda _ctx, argv: argv]))
    assert tell()["module"] == [
        "name=counters,ver=3,api=1,filters=0,usedby=[sums],using=[],options=[]",
        "name=sums,ver=1,api=1,filters=1,usedby=[],using=[counters],options=[]",
    ]
    modules.unload("sums")
    assert tell()["module"] == ["name=counters,ver=3,api=1,filters=0,usedby=[],using=[],options=[]"]


class Heap(ModuleValue, type_name="testheap_"):
    """A value that is given up piece by piece."""

    def __init__(self):
        self.items = list(range(1000))

    def save(self):
        return self.items

    @classmethod
    def load(cls, tokens, version):
        return cls()

    def __len__(self):
        return len(self.items)

    def dismantle(self):
        while self.items:
            del self.items[-100:]
            yield self.items


def test_a_large_value_that_knows_how_is_freed_bit_by_bit(engine, modules):
    module = Module("heaps")
    module.data_type(Heap)
    heap = Heap()
    module.command("HEAP.MAKE", flags="write", keys=RW(1))(
        lambda ctx, key: ctx.open_key(key).set(heap) or "OK"
    )
    modules.add(module)
    engine.do("HEAP.MAKE", "h")
    assert engine.do("DEL", "h") == 1
    assert len(heap) == 1000
    while engine.reclaimer.step(1):
        pass
    assert len(heap) == 0
    assert engine.reclaimer.reclaimed == 1
