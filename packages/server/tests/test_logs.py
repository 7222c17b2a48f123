"""Where the log goes, and that it follows the directives while the server runs."""

from __future__ import annotations

import logging
import syslog

import pytest

from cutaway.config import Config
from cutaway.observability.log import VERBOSE
from cutaway.server.logs import Logs, SyslogHandler

log = logging.getLogger("cutaway.test")


@pytest.fixture(autouse=True)
def root_as_it_was():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def logs_of(folder, **settings):
    config = Config({"dir": str(folder), "logfile": "server.log", **settings})
    return config, Logs(config), folder / "server.log"


def test_the_level_and_the_form_change_while_it_runs(tmp_path):
    config, _, file = logs_of(tmp_path)
    log.log(VERBOSE, "unheard")
    config.set([("loglevel", "verbose"), ("log-format", "json")])
    log.log(VERBOSE, "heard")
    config.set([("loglevel", "nothing")])
    log.critical("unheard too")
    (line,) = file.read_text().splitlines()
    assert '"level":"verbose"' in line
    assert '"message":"heard"' in line


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path):
    _, _, file = logs_of(tmp_path)
    log.info("first")
    file.rename(tmp_path / "old.log")
    log.info("second")
    assert (tmp_path / "old.log").read_text().endswith("* first\n")
    assert file.read_text().endswith("* second\n")


def test_a_file_that_cannot_be_opened_is_an_error_at_the_start(tmp_path):
    with pytest.raises(OSError, match="nosuch"):
        logs_of(tmp_path / "nosuch")


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.DEBUG, syslog.LOG_DEBUG),
        (VERBOSE, syslog.LOG_INFO),
        (logging.INFO, syslog.LOG_NOTICE),
        (logging.WARNING, syslog.LOG_WARNING),
        (logging.CRITICAL, syslog.LOG_WARNING),
    ],
)
def test_the_systems_log_gets_redis_own_priorities(level, priority, monkeypatch):
    opened, sent = [], []
    monkeypatch.setattr(syslog, "openlog", lambda *words: opened.append(words))
    monkeypatch.setattr(syslog, "syslog", lambda *words: sent.append(words))
    handler = SyslogHandler("valkey", "local3")
    handler.emit(logging.LogRecord("x", level, "f.py", 1, "disk is %s", ("full",), None))
    assert opened[0][0] == "valkey"
    assert opened[0][2] == syslog.LOG_LOCAL3
    assert sent == [(priority, "disk is full")]
