"""The server as a process: in the background, under a service manager, before the out-of-memory killer, and dying."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cutaway.commands import Engine
from cutaway.commands.configuration import configuration
from cutaway.config import Config
from cutaway.server.last_words import IS_POSSIBLE, shown
from cutaway.server.process_titles import ProcessTitle, called
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


has_last_words = pytest.mark.skipif(
    not IS_POSSIBLE, reason="needs Linux's signal stacks, and a Python before 3.14"
)


@has_last_words
@pytest.mark.parametrize(
    ("kind", "number"), [("SEGFAULT", signal.SIGSEGV), ("ASSERT", signal.SIGABRT), ("PANIC", signal.SIGABRT)]
)
def test_a_server_that_breaks_in_a_command_reports_the_command_and_its_client(start, kind, number):
    server = start("--save", "", "--enable-debug-command", "yes", "--hide-user-data-from-log", "no")
    other, peer = server.connect(), server.connect()
    other.ask("CLIENT", "SETNAME", "bystander")
    peer.ask("CLIENT", "SETNAME", "culprit")
    with pytest.raises(OSError):  # noqa: PT011 - closed or reset, as it happens
        peer.ask("DEBUG", kind)
    assert server.process.wait(SECONDS) == -number
    text = server.log.read_text()
    assert f"crashed by signal: {number.value}" in text
    parts = re.split(r"^------ (.*) ------$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert "debugging.py" in parts[0]
    assert "[0x" in sections["STACK TRACE"]
    assert "name=culprit" in sections["CURRENT CLIENT INFO"]
    assert f"argv[1]: b'{kind}'" in sections["CURRENT CLIENT INFO"]
    assert "name=bystander" in sections["CLIENT LIST OUTPUT"]
    assert "used_memory:" in sections["INFO OUTPUT"]
    assert text.rstrip().endswith("=== CUTAWAY BUG REPORT END. Make sure to include from START to END. ===")


@has_last_words
def test_a_command_that_has_run_before_is_reported_like_a_new_one_and_once(start):
    server = start("--save", "", "--enable-debug-command", "yes", "--hide-user-data-from-log", "no")
    peer = server.connect()
    assert peer.ask("DEBUG", "SLEEP", "0") == "OK"
    with pytest.raises(OSError):  # noqa: PT011
        peer.ask("DEBUG", "SEGFAULT")
    assert server.process.wait(SECONDS) == -signal.SIGSEGV
    text = server.log.read_text()
    assert text.count("argv[1]: b'SEGFAULT'") == 1
    assert "CURRENT CLIENT INFO" in text
    assert "EXECUTING CLIENT INFO" not in text


@has_last_words
def test_a_report_tells_no_data_unless_it_may_and_never_a_secret(start):
    script = "redis.call('DEBUG', 'SEGFAULT')"
    for hide, told in (("yes", False), ("no", True)):
        server = start("--save", "", "--enable-debug-command", "yes", "--hide-user-data-from-log", hide)
        peer = server.connect()
        peer.ask("DEBUG", "SET-DISABLE-DENY-SCRIPTS", 1)
        with pytest.raises(OSError):  # noqa: PT011
            peer.ask("EVAL", script, 1, "the-key")
        assert server.process.wait(SECONDS) == -signal.SIGSEGV
        text = server.log.read_text()
        assert (
            text.index("command: eval") < text.index("EXECUTING CLIENT INFO") < text.index("command: debug")
        )
        assert ("the-key" in text) == told


def test_secrets_are_hidden_in_the_request_that_a_report_shows():
    engine = Engine(configuration, config=Config({"hide-user-data-from-log": False}))
    argv = [b"CONFIG", b"SET", b"requirepass", b"secret"]
    command = engine.lookup(argv)
    assert shown(engine.config, command, argv) == ["b'CONFIG'", "b'SET'", "b'requirepass'", "b'(redacted)'"]


# ---- the title


@on_linux
def test_the_title_tells_servers_and_their_children_apart(start, tmp_path):
    pytest.importorskip("setproctitle")
    file = tmp_path / "redis.conf"
    file.write_text("save ''\n")
    server = start(str(file), "--enable-debug-command", "yes")
    peer, pid = server.connect(), server.process.pid

    def title(pid=pid):
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()

    assert title() == f"cutaway-server 127.0.0.1:{server.port}"
    template = "A {{ {title} {listen-addr} {port} {tls-port} {config-file}"
    assert peer.ask("CONFIG", "SET", "proc-title-template", template) == "OK"
    assert title() == f"A {{ cutaway-server 127.0.0.1:{server.port} {server.port} 0 {file}"
    assert "template format is invalid" in str(peer.ask("CONFIG", "SET", "proc-title-template", "{what}"))
    peer.ask("CONFIG", "SET", "proc-title-template", "{title} x", "rdb-key-save-delay", 20_000_000)
    peer.ask("SET", "k", "v")
    peer.ask("BGSAVE")
    child = int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
    until(lambda: title(child) == "redis-rdb-bgsave x")
    plain = start("--set-proc-title", "no")
    assert "-m\0server" in title(plain.process.pid)


def test_without_a_port_the_title_names_the_socket():
    titles = []
    ProcessTitle(Config({"port": 0, "unixsocket": "/run/c.sock"}), set_title=titles.append)
    assert titles == [f"{called(sys.argv[0])} unixsocket:/run/c.sock"]


def test_who_is_called_through_a_script_or_a_link_has_its_name():
    assert called("/usr/bin/redis-server") == "/usr/bin/redis-server"
    assert called("/lib/server/__main__.py") == "cutaway-server"


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
