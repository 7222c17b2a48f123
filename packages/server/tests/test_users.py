"""Users over a socket: who gets in, where the users are kept, and what no log may tell."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace

import pytest

from cutaway.config import Config
from cutaway.server.app import compose
from cutaway.server.parts import default_parts
from cutaway.server.protection import DENIED, refusal
from cutaway.testing import StartError

redis = pytest.importorskip("redis")


def test_redis_py_logs_in_by_password_and_by_name(start):
    server = start(*["--requirepass", "secret", "--user", "alice", "on", ">wonder", "~a:*", "+get", "+set"])
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port, password="wrong").ping()
    for protocol in (2, 3):
        with redis.Redis(
            port=server.port, password="secret", protocol=protocol, decode_responses=True
        ) as admin:
            assert admin.acl_whoami() == "default"
            assert {user.split()[1] for user in admin.acl_list()} == {"default", "alice"}
        with redis.Redis(port=server.port, username="alice", password="wonder", protocol=protocol) as alice:
            assert alice.set("a:1", "x")
            assert alice.get("a:1") == b"x"
            with pytest.raises(redis.exceptions.NoPermissionError, match="No permissions to access a key"):
                alice.get("b")
            with pytest.raises(
                redis.exceptions.NoPermissionError,
                match="User alice has no permissions to run the 'del' command",
            ):
                alice.delete("a:1")


def test_the_api_of_redis_py_for_users(start):
    server = start()
    with redis.Redis(port=server.port, protocol=3, decode_responses=True) as client:
        assert client.acl_setuser(
            "bob",
            enabled=True,
            passwords=["+pw"],
            keys=["k*"],
            channels=["c*"],
            commands=["+get", "+@set"],
            categories=["+@hash"],
        )
        about = client.acl_getuser("bob")
        assert about["flags"] == ["on"]
        assert about["keys"] == ["~k*"]
        assert client.acl_dryrun("bob", "get", "k1") == "OK"
        assert client.acl_users() == ["bob", "default"]
        assert client.acl_deluser("bob") == 1
        assert len(client.acl_genpass(64)) == 16
        assert "dangerous" in client.acl_cat()
        assert "get" in client.acl_cat("read")


def test_categories_hold_the_commands_that_a_real_server_has_in_them(start, valkey_server):
    with (
        redis.Redis(unix_socket_path=valkey_server.path) as real,
        redis.Redis(port=start().port) as ours,
    ):
        assert ours.acl_cat() == real.acl_cat()
        known = {name for group in ours.acl_cat() for name in ours.acl_cat(group)}
        for category in real.acl_cat():
            assert set(ours.acl_cat(category)) == set(real.acl_cat(category)) & known, category


def test_a_stranger_may_send_little(start):
    server = start("--requirepass", "secret")
    stranger = server.connect()
    assert (
        stranger.raw(b"*11\r\n$4\r\nPING\r\n") == b"-ERR Protocol error: unauthenticated multibulk length\r\n"
    )
    stranger = server.connect()
    assert (
        stranger.raw(b"*2\r\n$4\r\nAUTH\r\n$16385\r\n")
        == b"-ERR Protocol error: unauthenticated bulk length\r\n"
    )
    known = server.connect()
    assert known.ask("AUTH", "secret") == "OK"
    assert known.ask("ECHO", b"x" * 20000) == b"x" * 20000
    assert known.ask("DEL", *range(20)) == 0


def test_limits_are_lifted_when_no_password_is_needed_any_more(start):
    server = start("--requirepass", "secret")
    stranger, known = server.connect(), server.connect()
    known.ask("AUTH", "secret")
    known.ask("CONFIG", "SET", "requirepass", "")
    assert stranger.ask("ECHO", b"x" * 20000) == b"x" * 20000


def test_a_users_file_is_loaded_and_saved(start, tmp_path):
    file = tmp_path / "users.acl"
    file.write_text("user alice on nopass ~* +@all\n\nuser bob on >pw -@all +get (~x +set)\n")
    server = start("--aclfile", "users.acl")
    peer = server.connect()
    assert peer.ask("ACL", "USERS") == [b"alice", b"bob", b"default"]
    assert peer.ask("ACL", "SETUSER", "carol", "on") == "OK"
    assert peer.ask("ACL", "SAVE") == "OK"
    lines = file.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["alice", "bob", "carol", "default"]
    assert "pw" not in file.read_text()
    alice = server.connect()
    assert alice.ask("AUTH", "alice", "x") == "OK"
    file.write_text("user bob off\nuser bob on\nuser x +nosuch\nwrong\n")
    error = str(peer.ask("ACL", "LOAD"))
    assert "Duplicate user 'bob' found on line 2" in error
    assert (
        "users.acl:3: Error in applying operation '+nosuch': Unknown command or category name in ACL" in error
    )
    assert "users.acl:4 should start with user keyword" in error
    assert peer.ask("ACL", "USERS") == [b"alice", b"bob", b"carol", b"default"]
    file.write_text("user bob on nopass +@all\n")
    assert peer.ask("ACL", "LOAD") == "OK"
    assert peer.ask("ACL", "USERS") == [b"bob", b"default"]
    with pytest.raises((ConnectionError, OSError)):
        alice.ask("PING")
    file.unlink()
    assert "No such file or directory" in str(peer.ask("ACL", "LOAD"))


def test_config_rewrite_keeps_the_users(start, tmp_path):
    conf = tmp_path / "redis.conf"
    conf.write_text("# users\nuser alice on >wonder ~a +get\n")
    server = start(str(conf))
    peer = server.connect()
    peer.ask("ACL", "SETUSER", "bob", "on", "nopass", "~b")
    assert peer.ask("CONFIG", "REWRITE") == "OK"
    assert "user bob on nopass ~b resetchannels -@all" in conf.read_text()
    assert "wonder" not in conf.read_text()
    server.stop()
    peer = start(str(conf)).connect()
    assert peer.ask("ACL", "USERS") == [b"alice", b"bob", b"default"]
    assert peer.ask("AUTH", "alice", "wonder") == "OK"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--user alice on >wonder +nosuch", "Error in user declaration 'alice': Unknown command or category name in ACL"),
        ("--user alice on >wonder (+get", "Unmatched parenthesis in acl selector"),
        ("--user alice on >wonder --user alice off", "Duplicate user found"),
        ("--user alice on >wonder --aclfile users.acl", "aclfile names a file of users as well"),
        ("--aclfile missing.acl", "missing.acl"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_users_ends_the_start_and_tells_no_password(start, arguments, told):
    with pytest.raises(StartError) as failure:
        start(*arguments.split())
    assert told in failure.value.printed
    assert "wonder" not in failure.value.printed


def test_no_log_tells_a_secret(start):
    """Not the server's own, not MONITOR, not the slow log, not ACL LOG, not CLIENT LIST."""
    server = start("--loglevel", "debug", "--slowlog-log-slower-than", "0", "--requirepass", "s3cret-0")
    monitor, peer, failing = server.connect(), server.connect(), server.connect()
    assert peer.ask("AUTH", "s3cret-0") == "OK"
    assert monitor.ask("AUTH", "s3cret-0") == "OK"
    assert monitor.ask("MONITOR") == "OK"
    failing.ask("AUTH", "s3cret-1")
    failing.ask("HELLO", "3", "AUTH", "s3cret-user", "s3cret-2")
    failing.ask("auth", "s3cret-3", "s3cret-4", "s3cret-5")
    peer.ask("ACL", "SETUSER", "alice", ">s3cret-6", "<s3cret-7", "s3cret-8")
    peer.ask("CONFIG", "SET", "requirepass", "s3cret-9", "maxmemory", "0")
    peer.ask("CONFIG", "SET", "masterauth", "s3cret-10")
    peer.ask("ECHO", "the end")
    seen = ""
    monitor.socket.settimeout(10)
    while "the end" not in seen:
        seen += monitor.socket.recv(1 << 16).decode()
    shown = json.dumps(
        [peer.ask(*words.split()) for words in ("SLOWLOG GET 100", "ACL LOG", "CLIENT LIST")], default=str
    )
    log = server.log.read_text()
    assert "s3cret" not in seen
    for place in (log, shown):
        assert "s3cret" not in place.replace("s3cret-user", ""), "but who has tried may be told"


class FakeTransport:
    def __init__(self, peer, family=socket.AF_INET):
        self._extra = {"peername": peer, "socket": SimpleNamespace(family=family)}

    def get_extra_info(self, name):
        return self._extra.get(name)


@pytest.mark.parametrize(
    ("peer", "is_local"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.8.8", 1), True),
        (("::1", 1, 0, 0), True),
        (("10.0.0.1", 1), False),
        (("fe80::1", 1, 0, 0), False),
    ],
)
def test_an_unprotected_server_serves_nobody_from_elsewhere(peer, is_local):
    engine = compose(Config(), default_parts())
    assert refusal(engine, FakeTransport(peer)) == (None if is_local else DENIED)
    assert refusal(engine, FakeTransport("", socket.AF_UNIX)) is None
    engine.config.set([("requirepass", "secret")])
    assert refusal(engine, FakeTransport(peer)) is None
    engine.config.set([("requirepass", ""), ("protected-mode", "no")])
    assert refusal(engine, FakeTransport(peer)) is None


def test_the_gate_is_there_only_while_somebody_may_not_do_everything():
    engine = compose(Config(), default_parts())
    assert engine.gates == ()
    for change, back in (
        (["ACL", "SETUSER", "u"], ["ACL", "DELUSER", "u"]),
        (["CONFIG", "SET", "requirepass", "x"], ["CONFIG", "SET", "requirepass", ""]),
        (["ACL", "SETUSER", "default", "-get"], ["ACL", "SETUSER", "default", "+@all"]),
        (["ACL", "SETUSER", "default", "db=0"], ["ACL", "SETUSER", "default", "alldbs"]),
        (["ACL", "SETUSER", "default", "off"], ["ACL", "SETUSER", "default", "on"]),
    ):
        engine.do(*change)
        assert len(engine.gates) == 1, change
        engine.do(*back)
        assert engine.gates == (), back


def test_all_settings_in_a_file_start_a_server_that_has_them(start, tmp_path):
    file = tmp_path / "cutaway.conf"
    file.write_text("maxmemory 64mb\nenable-debug-command yes\nsave ''\n")
    peer = start(str(file)).connect()
    assert peer.ask("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == "OK"
    before = peer.ask("CONFIG", "GET", "*")
    assert file.read_text().count("\n") > 150
    after = start(str(file)).connect().ask("CONFIG", "GET", "*")
    known = dict(zip(before[::2], before[1::2], strict=True))
    assert {name for name, value in zip(after[::2], after[1::2], strict=True) if known[name] != value} == {
        b"port"
    }
