"""Reading redis.conf and the command line: what real servers accept, and what they say when they refuse."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutaway.config import Config
from cutaway.config.parser import ConfigFileError, Settings, parse_arguments, parse_text
from cutaway.config.quoting import quote, split

STOCK_FILES = [Path("/etc/redis/redis.conf"), Path("/etc/valkey/valkey.conf")]


def no_files(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory")


def settings_of(text: str, files: dict[str, str] | None = None) -> Settings:
    tree = files or {}
    settings = Settings(Config())
    settings.load(
        text,
        read=lambda path: tree[path] if path in tree else no_files(path),
        expand=lambda pattern: sorted(path for path in tree if path.startswith(pattern.rstrip("*"))),
    )
    return settings


@pytest.mark.parametrize("path", STOCK_FILES, ids=str)
def test_a_stock_configuration_loads_unchanged(path: Path) -> None:
    if not path.exists():
        pytest.skip("no stock configuration on this machine")
    try:
        text = path.read_text()
    except PermissionError:
        pytest.skip("the stock configuration is not readable")
    assert settings_of(text).config["port"] == 6379


def test_lines_of_save_add_up_and_an_empty_one_forgets_them() -> None:
    assert settings_of("save 60 1\nsave 5 2").config["save"] == ((60, 1), (5, 2))
    assert settings_of('save "60 1 5 2"').config["save"] == ((60, 1), (5, 2))
    assert settings_of('save 60 1\nsave ""\nsave 5 2').config["save"] == ((5, 2),)
    assert settings_of('save ""').config["save"] == ()


def test_what_only_a_file_can_hold_is_set_aside_in_order() -> None:
    settings = settings_of(
        "user alice on >p ~*\nloadmodule /m.so a b\nrename-command FLUSHALL ''\n"
        "bloom.rate 1 2\nuser bob off\nsentinel\n"
    )
    assert [line.arguments[0] for line in settings.users] == ["alice", "bob"]
    assert settings.modules == [("/m.so", ("a", "b"))]
    assert settings.renamed == [("FLUSHALL", "")]
    assert settings.module_directives == {"bloom.rate": "1 2"}


def test_an_include_is_read_where_it_stands() -> None:
    files = {"a.conf": "hz 20\ninclude d/*", "d/1": "maxmemory 1mb\n", "d/2": "hz 30\n"}
    assert settings_of("include a.conf\nmaxmemory 5mb\n", files).config.get("hz", "maxmemory") == {
        "hz": "30",
        "maxmemory": "5242880",
    }
    assert settings_of("include none/*").config["hz"] == 10


def test_an_include_that_is_missing_or_includes_itself_is_an_error() -> None:
    with pytest.raises(ConfigFileError, match="can't open config file 'gone': No such file or directory"):
        settings_of("include gone")
    with pytest.raises(ConfigFileError, match="nested"):
        settings_of("include a", {"a": "include a"})


BROKEN = [
    "nonsense 1",
    "# fine\n\n  maxmemory lots  ",
    "port 1 2",
    "port",
    "hz 'unbalanced",
    'requirepass "a"b"',
    "save 1",
    "save 0 1",
    "bind " + " ".join("1.1.1.1" for _ in range(17)),
    "rename-command nope",
    "sentinel monitor x",
    "a.b",
    "maxmemory-policy best",
    "unixsocketperm 999",
    "unixsocketperm 1777",
    "client-output-buffer-limit normal 1",
    "oom-score-adj-values 1 2",
    "appenddirname a/b",
    "replicaof localhost",
    "replicaof localhost 66666",
    "user",
    "include",
    "loadmodule",
    "list-max-ziplist-entries 1 2",
    "shutdown-on-sigint save nosave",
]


@pytest.mark.parametrize("text", BROKEN, ids=str)
def test_a_broken_file_is_reported_as_valkey_reports_it(valkey_path: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.conf"
    path.write_text("port 0\n" + text)
    real = subprocess.run(
        [valkey_path, str(path)], capture_output=True, timeout=20, check=False, cwd=tmp_path
    )
    with pytest.raises(ConfigFileError) as caught:
        settings_of(
            path.read_text() + "\n"
        )  # the C server puts a line feed before the options, even if there are none
    ours = caught.value.report("Valkey").split("\n", 2)
    assert real.returncode == 1
    assert ours[2] == real.stderr.decode().split("\n", 2)[2]


COMMAND_LINES = {
    "--port 7000": (None, False, 'port "7000" '),
    "my.conf --port 7000 --hz 20": ("my.conf", False, 'port "7000" \nhz "20" '),
    "- --port 1": (None, True, 'port "1" '),
    "--port 1 -": (None, True, 'port "1" '),
    "my.conf - --port 1": ("my.conf", False, '"-" \nport "1" '),
    "--save --port 1": (None, False, 'save ""\nport "1" '),
    "--save": (None, False, 'save ""'),
    "--save '' --port 1": (None, False, 'save "" \nport "1" '),
    "--save 60 1 5 1": (None, False, 'save "60" "1" "5" "1" '),
    "'--port 7000' --hz 2": (None, False, 'port 7000 \nhz "2" '),
    "--requirepass --hz --port 2": (None, False, 'requirepass "--hz" \nport "2" '),
    "--bind 127.0.0.1 -::1": (None, False, 'bind "127.0.0.1" "-::1" '),
}


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_the_command_line_is_a_piece_of_configuration(line: str) -> None:
    assert parse_arguments(shlex.split(line)) == COMMAND_LINES[line]


def test_file_then_standard_input_then_options_and_the_last_wins() -> None:
    settings = Settings(Config())
    path = settings.load_arguments(
        ["my.conf", "--hz", "30", "-"],
        read=lambda path: "hz 10\nmaxmemory 1mb\ntimeout 1",
        read_stdin=lambda: "0\nmaxmemory 2mb\nhz 20\n",
        expand=lambda pattern: [],
    )
    assert path == "my.conf"
    assert settings.config.get("hz", "maxmemory", "timeout") == {
        "hz": "30",
        "maxmemory": "2097152",
        "timeout": "10",
    }


def test_an_error_on_the_command_line_counts_on_from_the_file() -> None:
    settings = Settings(Config())
    with pytest.raises(ConfigFileError) as caught:
        settings.load_arguments(["a", "--hz", "x"], lambda path: "hz 1\n", lambda: "", lambda pattern: [])
    assert caught.value.report("Redis 7.2.6") == (
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\nReading the configuration file, at line 3\n"
        ">>> 'hz \"x\"'\nargument couldn't be parsed into an integer\n"
    )


REAL_COMMAND_LINES = [
    "--hz 20 --maxmemory 1mb --HZ 30",
    "--save --hz 20",
    "--hz 20 --save",
    "--save '' --hz 20",
    "--save 60 1 5 1",
    "--save '60 1' --save '5 1'",
    "'--hz 20' '--maxmemory 5mb'",
    "--requirepass '' --primaryauth --x --hz 12",
    "--shutdown-on-sigint 'save force' --client-output-buffer-limit pubsub 1mb 1kb 0",
    "--proc-title-template '{title} \"a\" {port}' --ignore-warnings 'a\\nb'",
    "--notify-keyspace-events '' --latency-tracking-info-percentiles ''",
]


@pytest.mark.parametrize("line", REAL_COMMAND_LINES)
def test_the_command_line_has_the_effect_it_has_on_valkey(start_server, line: str) -> None:
    server = start_server("save 7 7\nmaxmemory 2mb\n", shlex.split(line))
    settings = Settings(Config())
    settings.load_arguments(
        ["file", *shlex.split(line)],
        read=lambda path: server.config_file.read_text(),
        read_stdin=lambda: "",
        expand=lambda pattern: [],
    )
    assert settings.config.get("*") == server.get("*")


def test_an_empty_command_line_asks_for_nothing() -> None:
    assert parse_arguments([]) == (None, False, "")


@given(st.text())
def test_a_quoted_word_comes_back_the_same(word: str) -> None:
    word = word.encode("utf-8", "surrogateescape" if word.isascii() else "ignore").decode()
    assert split(quote(word)) == [word]


@given(st.text(alphabet="ab \t\"'\\x4n", max_size=12))
def test_splitting_never_fails_otherwise_than_by_unbalanced_quotes(line: str) -> None:
    words = split(line)
    assert words is None or all(isinstance(word, str) for word in words)
    assert words is not None or "'" in line or '"' in line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a 'b c' \"d\\x41\\n\\q\"", ["a", "b c", "dA\nq"]),
        ('a"b" c', ["ab", "c"]),
        ("'it\\'s' '\\n'", ["it's", "\\n"]),
        ('a"b"c', ["abc"]),
        ("'a b'\"c\"d", ["a bcd"]),
        ("''", [""]),
        ("a 'b", None),
        ("", []),
    ],
)
def test_quotes_and_escapes(line: str, words: list[str] | None) -> None:
    assert split(line) == words


def test_a_line_knows_where_it_stands() -> None:
    (line,) = parse_text("# c\n\n  PORT 1  \n")
    assert (line.name, line.arguments, line.number, line.text) == ("port", ("1",), 3, "PORT 1")
