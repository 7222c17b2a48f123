"""A walk through the program as a reader takes it, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cutaway.learn import EXERCISES
from cutaway.learn.__main__ import main
from cutaway.learn.exercises import find
from cutaway.learn.museum import EXHIBITS
from cutaway.resp import NULL_ARRAY
from cutaway.testing import ServerProcess, short_folder


def learn(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "UV"} | {"COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "cutaway.learn", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100, env=environment,
    )  # fmt: skip


def test_list_names_every_exercise(tmp_path: Path) -> None:
    done = learn(tmp_path, "list")
    assert done.returncode == 0
    assert all(exercise.name in done.stdout for exercise in EXERCISES)


@pytest.mark.timeout(300)  # five programs are started, and a contract is checked
def test_from_the_skeleton_to_a_server_that_runs_on_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = learn(tmp_path, "start", "resp.parser")
    file = tmp_path / "exercises" / "resp_parser.py"
    assert begun.returncode == 0
    assert str(file.relative_to(tmp_path)) in begun.stdout

    failed = learn(tmp_path, "check", "--no-server")
    assert failed.returncode == 1
    assert "This is not written yet. Start here." in failed.stdout
    assert "exercises/resp_parser.py:" in failed.stdout
    assert "Traceback" not in failed.stdout + failed.stderr

    for number in (1, 2):
        main([f"--folder={file.parent}", "hint"])
        assert f"hint {number} of" in capsys.readouterr().out

    main([f"--folder={file.parent}", "solution"])
    file.write_text(capsys.readouterr().out)
    passed = learn(tmp_path, "check")
    assert passed.returncode == 0, passed.stdout
    assert "All 10 rules hold" in passed.stdout
    assert "--use resp.RequestParser=exercises/resp_parser.py:Parser" in passed.stdout

    with server_on(tmp_path, "resp.RequestParser=exercises/resp_parser.py:Parser") as server:
        peer = server.connect()
        assert peer.ask("SET", "greeting", "hello\r\n*1\r\n") == "OK"
        assert peer.ask("GET", "greeting") == b"hello\r\n*1\r\n"
        peer.close()


@contextlib.contextmanager
def server_on(folder: Path, *uses: str) -> Iterator[ServerProcess]:
    """A server on these parts, whose files are named as seen from `folder`."""
    pytest.importorskip("cutaway.server")
    shelf = short_folder()
    options = [
        "--port",
        "0",
        "--unixsocket",
        shelf / "s",
        "--save",
        "",
        "--dir",
        shelf,
        "--appendonly",
        "yes",
    ]
    command = [sys.executable, "-m", "server", *options, "--enable-debug-command", "yes"]
    before = Path.cwd()
    os.chdir(folder)
    try:
        server = ServerProcess([*command, *(f"--use={use}" for use in uses)], str(shelf / "s"), shelf=shelf)
    finally:
        os.chdir(before)
    with server:
        yield server


def test_one_server_runs_on_all_nine_solutions_at_once(tmp_path: Path) -> None:
    solutions = Path(sys.modules["cutaway.learn"].__file__ or "").parent / "solutions"
    uses = [f"{each.part}={solutions}/{each.module}.py:{each.attribute}" for each in EXERCISES]
    with server_on(tmp_path, *uses) as server, server.connect() as one, server.connect() as other:
        for number in range(300):
            assert one.ask("SET", f"key:{number}", "x" * number) == "OK"
        cursor, keys = one.ask("SCAN", 0, "COUNT", 20)
        found = set(keys)
        while cursor != b"0":
            cursor, keys = one.ask("SCAN", cursor, "COUNT", 20)
            found.update(keys)
        assert len(found) == 300

        one.ask("CONFIG", "SET", "zset-max-listpack-entries", 0)
        one.ask("ZADD", "z", 3, "c", 1, "a", 2, "b")
        assert one.ask("ZRANGE", "z", 0, -1) == [b"a", b"b", b"c"]
        assert one.ask("ZRANK", "z", "c") == 2
        assert one.ask("ZPOPMIN", "z", 2) == [b"a", b"1", b"b", b"2"]

        one.ask("WATCH", "stock")
        other.ask("SET", "stock", 0)
        one.ask("MULTI")
        assert one.ask("EXEC") == NULL_ARRAY

        other.ask("PSUBSCRIBE", "news.*")
        assert one.ask("PUBLISH", "news.weather", "rain") == 1
        assert one.ask("PUBLISH", "sports", "1:0") == 0

        one.ask("SET", "number", 12345)
        assert one.ask("DEBUG", "RELOAD") == "OK"
        assert one.ask("GET", "number") == b"12345"
        assert one.ask("DEBUG", "LOADAOF") == "OK"
        assert one.ask("GET", "key:299") == b"x" * 299

        one.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        one.ask("CONFIG", "SET", "maxmemory", "20kb")
        one.ask("SET", "one", "more")
        assert 0 < one.ask("DBSIZE") < 300


def test_start_writes_over_nothing_and_reset_keeps_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"--folder={tmp_path}"
    assert main([folder, "start", "datastructures.lru"]) == 0
    file = tmp_path / "datastructures_lru.py"
    file.write_text("# mine\n")
    assert main([folder, "start", "datastructures.lru"]) == 2
    assert file.read_text() == "# mine\n"
    assert main([folder, "reset", "lru"]) == 0
    assert "class Pool" in file.read_text()
    assert (tmp_path / "datastructures_lru.old1.py").read_text() == "# mine\n"


def test_without_a_name_the_file_that_was_changed_last_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"--folder={tmp_path}"
    assert main([folder, "check"]) == 2
    assert "Nothing is begun" in capsys.readouterr().out
    main([folder, "start", "resp.parser"])
    main([folder, "start", "resp.encoder"])
    os.utime(tmp_path / "resp_parser.py", (1, 1))
    main([folder, "hint"])
    assert "resp.encoder  hint 1" in capsys.readouterr().out


def test_a_name_that_there_is_not_lists_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"--folder={tmp_path}", "start", "resp.nothing"]) == 2
    assert "There is no exercise 'resp.nothing'" in capsys.readouterr().out
    assert main([f"--folder={tmp_path}", "museum", "start", "nothing"]) == 2
    assert "There is no exhibit 'nothing'" in capsys.readouterr().out


def test_a_file_without_the_class_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "resp_parser.py").write_text("class Other: ...\n")
    assert main([f"--folder={tmp_path}", "check", "resp.parser"]) == 2
    assert "has no Parser" in capsys.readouterr().out


def test_a_file_that_is_no_python_is_a_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "resp_parser.py").write_text("def f(:\n")
    assert main([f"--folder={tmp_path}", "check", "resp.parser"]) == 1
    assert "Python cannot read your file" in capsys.readouterr().out


def test_a_visit_to_the_museum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = f"--folder={tmp_path}"
    assert main([folder, "museum", "start", "lru-clock"]) == 0
    assert main([folder, "museum", "check"]) == 1
    assert "The bug is still hiding" in capsys.readouterr().out
    (tmp_path / "museum_lru_clock.py").write_text(
        "def test(idle_time):\n    assert idle_time((1 << 24) - 10, 5) == 14_000\n"
    )
    assert main([folder, "museum", "check", "lru-clock"]) == 0
    out = capsys.readouterr().out
    assert "Found. This was it:" in out
    assert "def naive_idle_time" in out
    assert main([folder, "museum", "list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "lru-clock" in line)
    assert "✓" in line
    assert all(exhibit.name for exhibit in EXHIBITS)


def test_watch_checks_again_when_the_file_is_saved(tmp_path: Path) -> None:
    learn(tmp_path, "start", "datastructures.lru")
    file = tmp_path / "exercises" / "datastructures_lru.py"
    solution = find("datastructures.lru").solution
    with (tmp_path / "out").open("wb") as out:
        watching = subprocess.Popen(
            [sys.executable, "-m", "cutaway.learn", "watch", "--no-server"],
            cwd=tmp_path,
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(tmp_path / "out", "This is not written yet")
        file.write_text(solution)
        wait_for(tmp_path / "out", "All 6 rules hold")
    finally:
        with contextlib.suppress(ProcessLookupError):
            watching.terminate()
        watching.wait(10)


def wait_for(file: Path, words: str) -> None:
    for _ in range(900):
        if words in file.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"{words!r} did not come; this did:\n{file.read_text()}")
