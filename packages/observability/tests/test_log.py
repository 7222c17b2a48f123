"""One record, in each of the formats a reader of logs may want."""

import json
import logging

from cutaway.observability.log import JsonFormatter, LogfmtFormatter, RedisFormatter


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("cutaway.test", logging.WARNING, "f.py", 1, text, (), None)


def test_the_redis_format_ends_with_the_mark_of_the_level_and_the_message():
    line = RedisFormatter().format(record("disk is full"))
    assert line.endswith(" # disk is full")
    assert line.split(":")[0].isdigit()


def test_json_is_one_object_that_holds_the_message_unchanged():
    fields = json.loads(JsonFormatter().format(record('a "quoted" word')))
    assert 'a "quoted" word' in fields.values()


def test_logfmt_is_one_line_that_names_its_fields():
    line = LogfmtFormatter().format(record("disk is full"))
    assert "\n" not in line
    assert "level=" in line
    assert "disk is full" in line


def test_a_client_can_neither_break_a_line_nor_smuggle_an_escape_into_the_log():
    seen = b"got \x1b[31m\r\nforged \xaa \xc3\xa9".decode("utf-8", "surrogateescape")
    line = RedisFormatter().format(record(seen))
    assert line.endswith(r"got \x1b[31m\x0d\x0aforged \xaa é")
