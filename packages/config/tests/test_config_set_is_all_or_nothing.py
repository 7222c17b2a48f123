"""CONFIG SET with several pairs: names are judged first, values change together, a veto undoes it all."""

import pytest

from cutaway.config import Config, ConfigError, Directive, LoadingError
from cutaway.config.config import Value
from cutaway.config.values import Integer

PAIRS = [
    ["maxmemory", "1", "maxmemory", "2"],
    ["MAXMEMORY", "1", "maxmemory", "2"],
    ["hash-max-listpack-entries", "1", "hash-max-ziplist-entries", "7"],
    ["MaxMemory", "x"],
    ["Nope", "1"],
    ["maxmemory-samples", "9", "nope", "1"],
    ["nope", "1", "Daemonize", "yes"],
    ["DAEMONIZE", "yes", "nope", "1"],
    ["daemonize", "yes", "dir", "x"],
    ["Dir", "x", "maxmemory", "1", "maxmemory", "1"],
    ["Hash-Max-Ziplist-value", "x"],
    ["maxmemory", "5", "hz", "x"],
    ["maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"],
    ["hz", "0"],
    ["hz", "501"],
]


@pytest.mark.parametrize("words", PAIRS, ids=" ".join)
def test_the_reply_and_what_is_left_are_those_of_valkey(valkey, words: list[str]) -> None:
    names = ("maxmemory*", "hash-max*", "hz")
    config = Config(valkey.get(*names))
    try:
        config.set(list(zip(words[::2], words[1::2], strict=True)))
        reply = "+OK"
    except ConfigError as error:
        reply = f"-ERR {error}"
    assert reply == valkey.ask("CONFIG", "SET", *words)
    assert config.get(*names) == valkey.get(*names)


def test_a_subscriber_hears_the_present_value_and_each_change() -> None:
    config, heard = Config(), list[Value]()
    config.subscribe("slave-priority", heard.append)
    config.set([("replica-priority", "7")])
    config.set([("replica-priority", "7")])
    assert heard == [100, 7]


def test_a_veto_takes_every_value_back_and_tells_those_who_had_heard() -> None:
    config, heard = Config(), list[Value]()

    def refuse(value: Value) -> None:
        if value == 7000:
            raise ConfigError("Unable to listen on this port. Check server logs.")
        heard.append(value)

    config.subscribe("maxmemory", heard.append)
    config.subscribe("port", refuse)
    with pytest.raises(ConfigError) as caught:
        config.set([("maxmemory", "1kb"), ("Port", "7000")])
    assert str(caught.value) == (
        "CONFIG SET failed (possibly related to argument 'port') - "
        "Unable to listen on this port. Check server logs."
    )
    assert (config["maxmemory"], config["port"]) == (0, 6379)
    assert heard == [0, 6379, 1024, 6379, 0]


def test_protected_directives_open_for_local_clients_only_when_told_so() -> None:
    config = Config({"enable-protected-configs": "local"})
    with pytest.raises(ConfigError, match="can't set protected config"):
        config.set([("dbfilename", "x.rdb")])
    config.set([("dbfilename", "x.rdb")], local=True)
    assert config["dbfilename"] == "x.rdb"


def test_loading_shuts_the_directives_that_would_disturb_it() -> None:
    with pytest.raises(LoadingError):
        Config().set([("appendonly", "yes")], loading=True)


def test_a_registered_directive_is_like_any_other_until_it_is_taken_out() -> None:
    config = Config()
    config.register(Directive("bloom.error-rate", Integer(1, 100), 10))
    config.set([("bloom.error-rate", "20")])
    assert config.get("bloom.*") == {"bloom.error-rate": "20"}
    with pytest.raises(ConfigError):
        config.register(Directive("bloom.error-rate", Integer(1, 100), 10))
    config.unregister("bloom.error-rate")
    assert config.get("bloom.*") == {}


def test_overrides_may_be_texts_or_plain_values() -> None:
    config = Config(
        {"save": "", "appendonly": True, "port": 7000, "bind": ("127.0.0.1", "::1"), "maxmemory": "1mb"}
    )
    assert config.get("save", "appendonly", "port", "bind", "maxmemory") == {
        "save": "",
        "appendonly": "yes",
        "port": "7000",
        "bind": "127.0.0.1 ::1",
        "maxmemory": "1048576",
    }
    with pytest.raises(ConfigError):
        Config({"port": "x"})
