"""What reaches the log, and what must not."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote

import pytest

from vidgend.logs import JsonFormatter, TextFormatter, WithRequest, set_up_logging
from vidgend.redaction import MASK, Redactor, secrets_of_environment
from vidgend.request_context import REQUEST, RequestContext, request_id_of, trace_of
from vidgend.settings_sources import load_settings

SECRET = 'Zq9"x\\y é-0123456789'


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "levelno": logging.INFO, "levelname": "INFO"})
    made.__dict__.update(fields)
    return made


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
@pytest.mark.parametrize(
    "spelt",
    [
        SECRET,
        quote(SECRET, safe=""),
        repr(SECRET),
        json.dumps({"a": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_masked_in_message_field_and_traceback(formatter: type, spelt: str) -> None:
    try:
        raise RuntimeError(f"the server said {spelt}")
    except RuntimeError as error:
        crashed = record(f"crashed {spelt}", url=f"http://x/?q={spelt}", nested={"deep": [spelt]})
        crashed.exc_info = (type(error), error, error.__traceback__)
    line = formatter(Redactor([SECRET])).format(crashed)
    assert MASK in line
    for piece in (SECRET, quote(SECRET, safe=""), "Zq9", base64.b64encode(SECRET.encode()).decode()[:12]):
        assert piece not in line
    if formatter is JsonFormatter:
        json.loads(line)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET /mcp/assets/ab?exp=17&sig=0123456789abcdef", "GET /mcp/assets/ab?exp=17&sig=***"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer ***"),
        ("key vg_0123456789ab_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", "key vg_0123456789ab_***"),
        ("whsec_MDEyMzQ1Njc4OWFiY2RlZg== was sent", "whsec_*** was sent"),
        ("https://pixabay.com/api/?key=12345-abcdef&q=sea", "https://pixabay.com/api/?key=***&q=sea"),
        ("https://s3/x?X-Amz-Signature=abcdef123456&a=b", "https://s3/x?X-Amz-Signature=***&a=b"),
        ("http://me:pass%21word@proxy.lan:3128/", "http://me:***@proxy.lan:3128/"),
        ("redis://:hunter22@cache.lan/1", "redis://:***@cache.lan/1"),
        ("http://me:p@ss@proxy.lan:3128/", "http://me:***@proxy.lan:3128/"),
        ("http://a:b1@c.lan,http://d:e1@f.lan", "http://a:***@c.lan,http://d:***@f.lan"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, left: str) -> None:
    assert Redactor()(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "step kind=segment key=0123456789ab outcome=done", "a token=16 tokens", "the bearer of news",
        "http://127.0.0.1:8080/mcp/status/job_0123456789abcdef0123", "at 12:30 me@example.com wrote",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(["", "abc"])(text) == text


def test_the_settings_know_their_secrets_and_the_environment_its() -> None:
    settings = load_settings(
        environ={
            "VIDGEND_DATA_DIR": "/tmp/x", "PEXELS_API_KEY": "pexels-key", "VIDGEND_PLANNER__BASE_URL": "http://u:urlpass@h/v1",
        }
    )  # fmt: skip
    assert settings.secrets() == {"pexels-key", "urlpass"}
    environ = {
        "HF_TOKEN": "hf_token_value",
        "HTTPS_PROXY": "http://u:proxypass@p:1",
        "HOME": "/root/longer",
        "A_KEY": "us",
    }
    assert secrets_of_environment(environ) == {"hf_token_value", "proxypass"}


def test_every_line_of_a_request_has_its_id_and_its_trace(capfd: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json")
    trace = trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    token = REQUEST.set(RequestContext(request_id="abc", trace=trace))
    logging.getLogger("vidgend.test").info("inside")
    REQUEST.reset(token)
    logging.getLogger("vidgend.test").info("outside")
    inside, outside = (json.loads(line) for line in capfd.readouterr().err.splitlines())
    assert inside["request_id"] == "abc" and inside["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "request_id" not in outside and "trace_id" not in outside


def test_a_line_that_names_its_request_itself_is_believed() -> None:
    REQUEST.set(RequestContext(request_id="abc"))
    named = record("x", request_id="own")
    assert WithRequest().filter(named) and named.__dict__["request_id"] == "own"
    REQUEST.set(None)


@pytest.mark.parametrize("told", ["abc", "A-b_c.9", "x" * 64])
def test_a_sane_request_id_is_kept(told: str) -> None:
    assert request_id_of(told) == told


@pytest.mark.parametrize("told", ["", "x" * 65, "a b", "a\nb", "é", 'a"b', "<script>", "a/b"])
def test_any_other_is_replaced(told: str) -> None:
    made = request_id_of(told)
    assert made != told and len(made) == 16 and request_id_of(made) == made


def test_a_traceback_cannot_steer_the_terminal() -> None:
    try:
        raise RuntimeError("clears \x1b[2J\x9b2J\r the screen")
    except RuntimeError as error:
        made = record("crashed", exc_info=(type(error), error, error.__traceback__))
    lines = TextFormatter().format(made).split("\n")
    assert lines[-1] == r"RuntimeError: clears \x1b[2J\x9b2J\r the screen"
    assert lines[1] == "Traceback (most recent call last):"
