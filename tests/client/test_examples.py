"""The programs of docs/examples, run as they are against the real application, and what cannot run here compared with
the API."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import jinja2
import pytest
import yaml
from standins.services_standin import KEY, VIDEO, World

from vidgend.http.webhook_signing import new_secret, secret_bytes, signature
from vidgend.http.wire import GenerateBody

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "examples"
PROMPT = 'The sea, "at night"; it\'s calm.'


def _command(name: str, *arguments: str) -> list[str]:
    programs = {".sh": ("sh", "curl", "jq"), ".mjs": ("node",), ".py": ()}[Path(name).suffix]
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    return [programs[0] if programs else sys.executable, str(FOLDER / name), *arguments]


async def _run(command: list[str], **environ: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "PYTHONPATH": str(ROOT), "POLL_S": "0.1", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()


MAKERS = ("make_video.sh", "make_video.py", "make_video_httpx.py", "make_video.mjs")


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("key", ["", KEY])
async def test_a_video_is_made_and_fetched(world: World, serve: Any, tmp_path: Path, name: str, key: str) -> None:
    url = await serve((world.with_api_key(key) if key else world).with_services(public_url=""))
    output = tmp_path / "sea.mp4"
    running = asyncio.create_task(_run(_command(name, PROMPT, str(output)), VIDGEND_URL=url, VIDGEND_KEY=key))
    while (job := await world.jobs.claim()) is None:
        assert not running.done(), running.result()
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # let it ask once more
    await world.finish(job)
    code, told = await running
    assert code == 0, told
    assert output.read_bytes() == VIDEO
    assert job.brief.prompt == PROMPT
    assert re.search(r"^\d+(\.\d+)? %  \w+", told, re.M), told
    assert len(await world.jobs.page()) == 1


@pytest.mark.parametrize("name", MAKERS)
async def test_a_refusal_is_told(url: str, tmp_path: Path, name: str) -> None:
    code, told = await _run(_command(name, " ", str(tmp_path / "none.mp4")), VIDGEND_URL=url)
    assert code != 0
    assert "prompt_empty" in told or (name.endswith(".sh") and "422" in told)
    assert not (tmp_path / "none.mp4").exists()


@pytest.mark.parametrize("name", MAKERS)
async def test_a_job_that_fails_ends_it(world: World, url: str, tmp_path: Path, name: str) -> None:
    running = asyncio.create_task(_run(_command(name, PROMPT, str(tmp_path / "none.mp4")), VIDGEND_URL=url))
    while (job := await world.jobs.claim()) is None:
        assert not running.done(), running.result()
        await asyncio.sleep(0.05)
    await world.worker.cancel(job.id)
    code, _ = await running
    assert code != 0


@asynccontextmanager
async def _receiver(name: str, secret: str) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    process = await asyncio.create_subprocess_exec(
        *_command(name, "0"),
        env={**os.environ, "PYTHONPATH": str(ROOT), "VIDGEND_WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        yield ready.split()[-1], process.stdout
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("name", ["receive_webhooks.py", "receive_webhooks.mjs"])
async def test_only_real_webhooks_are_taken_and_each_once(name: str) -> None:
    secret = new_secret()
    body = json.dumps({"type": "job.completed", "data": {"job_id": "job_1"}}).encode()
    now = int(time.time())

    def signed(message: str, at: int) -> dict[str, str]:
        made = signature(secret_bytes(secret), message, at, body)
        return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": made}

    async with _receiver(name, secret) as (url, output), httpx.AsyncClient() as http:
        for headers, sent, status in (
            (signed("msg_0", now), body + b" ", 400),
            (signed("msg_0", now - 400), body, 400),
            ({}, body, 400),
            (signed("msg_1", now), body, 204),
            (signed("msg_1", now), body, 204),
            (signed("msg_2", now), body, 204),
        ):
            assert (await http.post(url, content=sent, headers=headers)).status_code == status
        told = [(await asyncio.wait_for(output.readline(), 10)).decode() for _ in range(2)]
        assert all(re.fullmatch(r"job\.completed \{.job_id.: ?.job_1.\}\n", line) for line in told), told


async def _answers(url: str, method: str, path: str) -> None:
    """There is such a route, whatever it says to these ids."""
    async with httpx.AsyncClient() as http:
        answer = await http.request(method, url + path, json={} if method == "POST" else None)
    code = answer.json().get("code")
    assert code != "method_not_allowed" and (code != "not_found" or answer.json()["detail"] != "no such path"), path


def _filled(text: str) -> str:
    """A text with something in the place of every expression."""
    return re.sub(r"\{\{.*?\}\}", "job_1", text.removeprefix("="))


async def test_the_n8n_workflow_calls_what_there_is(url: str) -> None:
    workflow = json.loads((FOLDER / "n8n-vidgend.json").read_text())
    nodes = {node["name"]: node for node in workflow["nodes"]}
    assert len(nodes) == len(workflow["nodes"])
    ends = {end["node"] for outputs in workflow["connections"].values() for output in outputs["main"] for end in output}
    assert {*workflow["connections"], *ends} == set(nodes)
    named = set(re.findall(r"\$\('([^']+)'\)", json.dumps(workflow)))
    assert named <= set(nodes)
    calls = [node["parameters"] for node in nodes.values() if node["type"].endswith(".httpRequest")]
    paths = [(one.get("method", "GET"), _filled(one["url"]).removeprefix("job_1")) for one in calls]
    assert paths[:3] == [("POST", "/mcp/generate"), ("GET", "/mcp/status/job_1"), ("GET", "/mcp/result/job_1")]
    for method, path in paths[:3]:
        await _answers(url, method, path)
    body = calls[0]["jsonBody"].replace("{{ JSON.stringify($execution.resumeUrl) }}", '"https://n8n.lan/x"')
    body = body.replace("{{ JSON.stringify($json.prompt) }}", '"The sea"').removeprefix("=")
    assert GenerateBody.model_validate_json(body).prompt == "The sea"


class _Yaml(yaml.SafeLoader):
    pass


_Yaml.add_constructor("!secret", lambda loader, node: f"secret {node.value}")


async def test_the_home_assistant_configuration_calls_what_there_is(url: str) -> None:
    found = yaml.load((FOLDER / "home-assistant.yaml").read_text(), _Yaml)
    commands = found["rest_command"]
    for one in [*commands.values(), {"url": found["rest"][0]["resource"]}]:
        path = _filled(one["url"]).removeprefix("http://vidgend.lan:8080")
        await _answers(url, one.get("method", "GET"), path)
    used = set(re.findall(r"rest_command\.(\w+)", str(found["automation"])))
    assert used == set(commands) - {"vidgend_cancel"}

    templates = jinja2.Environment(undefined=jinja2.StrictUndefined)
    templates.filters["to_json"] = json.dumps
    payload = commands["vidgend_make_video"]["payload"]
    body = GenerateBody.model_validate_json(templates.from_string(payload).render(prompt=PROMPT))
    assert (body.prompt, body.duration_target) == (PROMPT, 30)
    webhook = found["automation"][1]["triggers"][0]["webhook_id"]
    assert str(body.callback_url).endswith(f"/api/webhook/{webhook}")

    queue = (await to_thread(httpx.get, f"{url}/mcp/queue")).json()
    for sensor in (*found["rest"][0]["sensor"], *found["rest"][0]["binary_sensor"]):
        assert templates.from_string(sensor["value_template"]).render(value_json=queue) in ("0", "False")


def test_the_page_names_every_example() -> None:
    page = (ROOT / "docs" / "clients.md").read_text()
    assert set(re.findall(r"\(examples/([^)]+)\)", page)) == {path.name for path in FOLDER.iterdir()}


def test_the_reader_of_events_comes_again_after_a_daemon_that_died(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of docs/events.md, in Python; the daemon dies in the middle of an event."""
    page = (ROOT / "docs" / "events.md").read_text()
    sample = re.findall(r"```python\n(.*?)```", page, re.S)[0].partition("\nfor name")[0]
    known: dict[str, Any] = {}
    exec(compile(sample, "docs/events.md", "exec"), known)
    monkeypatch.setattr(known["time"], "sleep", lambda wait_s: None)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = b'id: 7\nevent: status\ndata: {"status": "rendering"}\n\n'
    answers = [head + b"%x\r\n%s\r\n40\r\nid: 8\nev" % (len(whole), whole), b"HTTP/1.1 204 No Content\r\n\r\n"]
    asked: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        found = list(known["events"](f"http://127.0.0.1:{listening.getsockname()[1]}/mcp/events", KEY))
        server.join(10)
    assert found == [("status", {"status": "rendering"})]
    assert [b"last-event-id: 7" in one.lower() for one in asked] == [False, True]
