"""The readable form of the log."""

from __future__ import annotations

import logging

from vidgend.logs import TextFormatter


def test_a_field_cannot_begin_a_line_or_steer_the_terminal() -> None:
    record = logging.makeLogRecord({"msg": "request", "levelname": "INFO"})
    record.method = "GET\n12:00:00 info    forged\r\x1b[2J\u2028é"
    line = TextFormatter().format(record)
    assert line.isprintable()
    assert "method=GET\\n12:00:00 info    forged\\r\\x1b[2J\\u2028é" in line
