"""The program as a script calls it; wherever redis-cli can do the same, the two are compared."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cutaway.client import Address, Client
from cutaway.client.options import UsageError, parse, usage
from cutaway.testing import RealServer

OURS = [sys.executable, "-m", "cutaway.client"]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["SET", "k", "v"], b""),
        (["GET", "nothing"], b""),
        (["--no-raw", "-n", "3", "SET", "k", "v"], b""),
        (["-n", "99", "PING"], b""),
        (["-a", "wrong", "PING"], b""),
        (["-a", "wrong", "--no-auth-warning", "PING"], b""),
        (["-r", "3", "INCR", "n"], b""),
        (["-e", "NOSUCH", "a"], b""),
        (["NOSUCH", "a"], b""),
        (["-x", "SET", "k"], b"a\x00b\n"),
        (["-X", "tag", "SET", "tag", "v"], b"key"),
        (["-X", "tag", "SET", "k", "v"], b"key"),
        (["--quoted-input", "ECHO", r'"a\x00b"'], b""),
        (["ECHO", "-1"], b""),
        (["INCRBY", "n", "-5"], b""),
        (["--json", "PING"], b""),
        (["-2", "-3", "PING"], b""),
        (["-x", "-X", "t", "PING"], b""),
        (["--nosuch"], b""),
        (["-p"], b""),
        (["INFO", "nosuchsection"], b""),
        (["SHUTDOWN", "WHAT"], b""),
        (["--scan", "--pattern", "nosuch*"], b""),
        (["--eval", "/no/such/file"], b""),
        ([], b"SET a 1\nINCR a\n\nGET 'b\nquit\nINCR a\n"),
        ([], b"MULTI\r\nINCR n\r\nEXEC\r\n"),
        (["--pipe"], b"SET x 1\r\n*2\r\n$4\r\nINCR\r\n$1\r\nx\r\nLPUSH x 1\r\n"),
        (["--pipe"], b""),
    ],
)
def test_output_and_status_are_those_of_redis_cli(
    redis_server: RealServer, redis_cli: list[str], run: Run, arguments: list[str], stdin: bytes
) -> None:
    outcomes = []
    for program in (redis_cli, OURS):
        with Client(Address(path=redis_server.path)) as client:
            client.call("FLUSHALL")
        done = run(program, "-s", redis_server.path, *arguments, stdin=stdin)
        outcomes.append((done.stdout, done.stderr, done.returncode))
    assert outcomes[1] == outcomes[0]


def test_a_word_whose_quotes_do_not_close_is_refused(run: Run) -> None:
    done = run(OURS, "--quoted-input", "ECHO", '"a')
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"Invalid quoted string\n", 1)


@pytest.mark.parametrize("place", [["-p", "1"], ["-s", "/no/such/socket"], ["-h", "::1", "-p", "1"]])
def test_a_server_that_is_not_there(redis_cli: list[str], run: Run, place: list[str]) -> None:
    expected = run(redis_cli, *place, "PING")
    found = run(OURS, *place, "PING")
    assert (found.stdout, found.returncode) == (expected.stdout, expected.returncode)
    assert found.stderr.startswith(b"Could not connect to Redis at")


def test_the_password_may_come_from_the_environment(server: RealServer, run: Run) -> None:
    with Client(Address(path=server.path)) as admin:
        admin.call("ACL", "SETUSER", "ada", "on", ">secret", "+@all", "~*")
        done = run(OURS, "-s", server.path, "--user", "ada", "ACL", "WHOAMI", REDISCLI_AUTH="secret")
        admin.call("ACL", "DELUSER", "ada")
    assert done.stdout == b"ada\n"
    assert done.stderr == b""


def fill(path: str) -> None:
    with Client(Address(path=path)) as client:
        client.pipeline([("SET", f"string:{number}", "x" * number) for number in range(30)])
        client.pipeline([("RPUSH", "list", number) for number in range(7)])
        client.pipeline([("HSET", "hash", number, number) for number in range(5)])
        client.pipeline([("ZADD", "zset", number, number) for number in range(4)])
        client.pipeline([("SADD", "a set", number) for number in range(3)])
        client.pipeline([("XADD", "stream", "*", "f", "v") for _ in range(2)])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--scan"],
        ["--scan", "--no-raw"],
        ["--scan", "--pattern", "string:1*"],
        ["--scan", "--quoted-pattern", r'"\x61 set"'],
    ],
)
def test_scan_names_the_keys(
    server: RealServer, redis_cli: list[str], run: Run, arguments: list[str]
) -> None:
    fill(server.path)
    expected = run(redis_cli, "-s", server.path, *arguments).stdout
    assert expected
    assert sorted(run(OURS, "-s", server.path, *arguments).stdout.splitlines()) == sorted(
        expected.splitlines()
    )


def test_a_reader_who_has_seen_enough_ends_the_program_quietly(redis_server: RealServer) -> None:
    with Client(Address(path=redis_server.path)) as client:
        client.pipeline([("SET", f"{number}{'x' * 200}", "") for number in range(2000)])
    process = subprocess.Popen(
        [*OURS, "-s", redis_server.path, "--scan"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(10) == 1
    process.stderr.close()


def test_scan_by_type(server: RealServer, run: Run) -> None:
    fill(server.path)
    assert run(OURS, "-s", server.path, "--scan", "--type", "hash", "--count", "3").stdout == b"hash\n"


def test_bigkeys_comes_to_the_same_summary(server: RealServer, redis_cli: list[str], run: Run) -> None:
    fill(server.path)
    expected, found = (
        run(program, "-s", server.path, "--bigkeys").stdout.partition(b"-------- summary")[2]
        for program in (redis_cli, OURS)
    )
    assert sorted(found.splitlines()) == sorted(expected.splitlines())
    memory = run(OURS, "-s", server.path, "--memkeys").stdout
    assert b"Biggest string found so far" in memory
    assert b"strings with" in memory


def test_latency_and_stat_print_numbers(server: RealServer, run: Run) -> None:
    done = run(OURS, "-s", server.path, "--latency", "--csv", "-i", "0.1")
    shortest, longest, average, count = map(float, done.stdout.split(b","))
    assert 0 <= shortest <= average <= longest
    assert count >= 1
    process = subprocess.Popen([*OURS, "-s", server.path, "--stat", "-i", "0.05"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    process.terminate()
    process.communicate(timeout=10)
    assert lines[0].startswith(b"------- data")
    assert [line.split()[0] for line in lines[2:]] == [b"0", b"0"]


def test_eval_parts_keys_from_arguments_at_the_comma(
    server: RealServer, redis_cli: list[str], run: Run, tmp_path: Path
) -> None:
    script = tmp_path / "script.lua"
    script.write_text("return {KEYS, ARGV}")
    arguments = ["-s", server.path, "--no-raw", "--eval", str(script), "a", "b", ",", "c", "d"]
    expected = run(redis_cli, *arguments).stdout
    assert run(OURS, *arguments).stdout == expected
    assert b'"d"' in expected


def test_subscribe_prints_messages_as_they_come(server: RealServer) -> None:
    process = subprocess.Popen(
        [*OURS, "-s", server.path, "--csv", "SUBSCRIBE", "news"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b'"subscribe","news",1\n'
    with Client(Address(path=server.path)) as client:
        client.call("PUBLISH", "news", "hello")
        assert process.stdout.readline() == b'"message","news","hello"\n'
    process.terminate()
    process.communicate(timeout=10)


def test_monitor_prints_what_others_do(server: RealServer) -> None:
    process = subprocess.Popen([*OURS, "-s", server.path, "MONITOR"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"OK\n"
    with Client(Address(path=server.path)) as client:
        client.call("SET", "k", "v")
        assert process.stdout.readline().endswith(b'"SET" "k" "v"\n')
    process.terminate()
    process.communicate(timeout=10)


def test_the_wire_goes_to_standard_error_and_leaves_the_output_alone(server: RealServer, run: Run) -> None:
    done = run(OURS, "-s", server.path, "--wire", "ECHO", "hi")
    assert done.stdout == b"hi\n"
    text = done.stderr.decode()
    assert "→ request, 22 bytes" in text
    assert "← reply, 8 bytes" in text
    assert r"$2\r\nhi\r\n" in text


def test_help_comes_from_the_server(server: RealServer, run: Run) -> None:
    assert b"  GETEX key [EX seconds|" in run(OURS, "-s", server.path, "HELP", "GETEX").stdout


def test_every_option_is_in_the_usage() -> None:
    text = usage()
    for name in ("--wire", "-3", "--tls", "--pipe", "--bigkeys", "-X <tag>", "--user <name>"):
        assert name in text


def test_options_end_where_the_command_begins() -> None:
    options = parse(["-p", "7", "-3", "--tls", "--insecure", "SET", "-p", "--tls"], {}, is_terminal=False)
    assert options.command == [b"SET", b"-p", b"--tls"]
    assert (options.address.port, options.address.protocol) == (7, 3)
    assert options.address.tls is not None
    assert not options.address.tls.verify
    with pytest.raises(UsageError, match="Unrecognized option"):
        parse(["--nope"], {})
    with pytest.raises(UsageError, match="-p x"):
        parse(["-p", "x"], {})
