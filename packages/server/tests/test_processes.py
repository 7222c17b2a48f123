"""The server as a process: in the background, under a service manager, before the out-of-memory killer, and dying."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cutaway.testing import until

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
SECONDS = 60


def is_alive(pid):
    """Whether there is such a process; one that has ended and that nobody has asked for is not counted."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def run(*arguments, **environment):
    command = [sys.executable, "-m", "server", *map(str, arguments)]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.fixture
def notices():
    """The socket of a service manager, and a function that gives what it was told."""
    path = Path(tempfile.mkdtemp()) / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(SECONDS)
        yield path, lambda: manager.recv(1000).decode()


# ---- in the background


@on_linux
def test_a_daemon_leaves_the_terminal_and_its_number_and_takes_the_number_away(tmp_path, free_port):
    place, log = tmp_path / "server.pid", tmp_path / "server.log"
    began = run(
        "--daemonize", "yes", "--pidfile", place, "--logfile", log, "--dir", tmp_path, "--port", free_port
    )
    output, _ = began.communicate(timeout=SECONDS)
    assert (began.returncode, output) == (0, b"")
    until(lambda: log.exists() and "Ready to accept connections" in log.read_text())
    pid = int(place.read_text())
    try:
        assert pid != began.pid
        assert os.getsid(pid) == pid
        assert {Path(f"/proc/{pid}/fd/{number}").readlink() for number in range(3)} == {Path(os.devnull)}
        with socket.create_connection(("127.0.0.1", free_port), 10) as sock:
            sock.sendall(b"PING\r\n")
            assert sock.recv(100) == b"+PONG\r\n"
        assert f"PID: {pid}" in log.read_text()
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not is_alive(pid))
    assert not place.exists()


def test_a_pid_file_comes_without_a_daemon_too_and_one_that_cannot_be_written_stops_nobody(start, tmp_path):
    place = tmp_path / "server.pid"
    server = start("--pidfile", str(place))
    assert int(place.read_text()) == server.process.pid
    assert server.stop() == 0
    assert not place.exists()
    server = start("--pidfile", str(tmp_path / "nosuch" / "server.pid"))
    assert "Could not write the pid file" in server.log.read_text()


# ---- under a service manager


@pytest.mark.parametrize("mode", ["systemd", "auto"])
def test_a_service_manager_hears_when_the_server_is_ready_and_when_it_stops(
    tmp_path, free_port, notices, mode
):
    path, next_notice = notices
    server = run(
        "--supervised",
        mode,
        "--daemonize",
        "yes",
        "--dir",
        tmp_path,
        "--port",
        free_port,
        NOTIFY_SOCKET=str(path),
    )
    assert next_notice() == "STATUS=Loading the data"
    assert next_notice() == "STATUS=Ready to accept connections\nREADY=1"
    with socket.create_connection(
        ("127.0.0.1", free_port), 10
    ) as sock:  # it is still the process that was started
        sock.sendall(b"INFO server\r\n")
        text = sock.recv(1 << 16).decode()
    assert "process_supervised:systemd" in text
    assert f"process_id:{server.pid}" in text
    server.terminate()
    assert next_notice() == "STOPPING=1"
    assert server.wait(SECONDS) == 0
    server.stdout.close()


def test_a_service_manager_that_is_not_there_is_missed(start):
    server = start("--supervised", "systemd")
    assert "NOTIFY_SOCKET is not in the environment" in server.log.read_text()
    assert b"process_supervised:no" in server.connect().ask("INFO", "server")


# ---- the out-of-memory killer


def score(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


@on_linux
def test_the_score_follows_the_configuration_and_goes_back(start):
    server = start("--save", "", "--enable-debug-command", "yes")
    peer, pid = server.connect(), server.process.pid
    base = score(pid)
    if base > 900:
        pytest.skip("the score is too high already to be raised")
    assert peer.ask("CONFIG", "SET", "oom-score-adj", "yes", "oom-score-adj-values", "10 20 30") == "OK"
    assert score(pid) == base + 10
    peer.ask("CONFIG", "SET", "oom-score-adj-values", "15 20 30")
    assert score(pid) == base + 15
    peer.ask("SET", "k", "v")
    peer.ask("CONFIG", "SET", "rdb-key-save-delay", 3_000_000)
    peer.ask("BGSAVE")
    child = int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
    assert score(child) == base + 30
    peer.ask("CONFIG", "SET", "oom-score-adj", "no")
    assert score(pid) == base


@on_linux
def test_a_score_that_the_system_refuses_is_an_error_and_changes_nothing(start):
    server = start("--save", "")
    peer, pid = server.connect(), server.process.pid
    base = score(pid)
    try:
        Path("/proc/self/oom_score_adj").write_text(str(score("self") - 1))
    except OSError:
        pass
    else:
        Path("/proc/self/oom_score_adj").write_text(str(score("self") + 1))
        pytest.skip("whoever runs this test may lower scores")
    peer.ask("CONFIG", "SET", "oom-score-adj-values", "-1000 -1000 -1000")
    assert "Failed to set current oom_score_adj. Check server logs." in str(
        peer.ask("CONFIG", "SET", "oom-score-adj", "absolute")
    )
    assert peer.ask("CONFIG", "GET", "oom-score-adj") == [b"oom-score-adj", b"no"]
    assert score(pid) == base


# ---- the end


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_process_that_dies_of_a_signal_says_where_it_was(start, number):
    server = start("--save", "")
    peer = server.connect()
    assert peer.ask("PING") == "PONG"
    os.kill(server.process.pid, number)
    assert server.process.wait(SECONDS) == -number
    text = server.log.read_text()
    assert "Fatal Python error" in text
    assert 'app.py", line' in text
    quiet = start("--save", "", "--crash-log-enabled", "no")
    os.kill(quiet.process.pid, number)
    assert quiet.process.wait(SECONDS) == -number
    assert "Fatal Python error" not in quiet.log.read_text()


def test_the_watchdog_shows_what_keeps_the_loop(start):
    server = start("--save", "", "--enable-debug-command", "yes")
    peer = server.connect()
    peer.ask("DEBUG", "SLEEP", 0.5)
    assert "most recent call first" not in server.log.read_text()
    peer.ask("CONFIG", "SET", "watchdog-period", 200)
    time.sleep(0.3)  # a turn of the regular work sets the watchdog's clock
    peer.ask("DEBUG", "SLEEP", 2)
    assert 'debugging.py", line' in server.log.read_text()


def test_a_signal_that_waits_for_the_regular_work_can_be_taken_back(start):
    server = start("--save", "", "--enable-debug-command", "yes")
    peer = server.connect()
    assert str(peer.ask("SHUTDOWN", "ABORT")) == "ERR No shutdown in progress."
    peer.ask("DEBUG", "PAUSE-CRON", 1)
    server.process.terminate()
    until(lambda: "Received SIGTERM" in server.log.read_text())
    assert peer.ask("SHUTDOWN", "ABORT") == "OK"
    peer.ask("DEBUG", "PAUSE-CRON", 0)
    time.sleep(0.3)  # the regular work comes round three times
    assert peer.ask("PING") == "PONG"
    peer.ask("DEBUG", "PAUSE-CRON", 1)
    server.process.terminate()
    until(lambda: server.log.read_text().count("Received SIGTERM") == 2)
    peer.ask("DEBUG", "PAUSE-CRON", 0)
    assert server.process.wait(SECONDS) == 0
