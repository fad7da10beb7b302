"""A secret of its own in every place where the settings have one: none of them comes out anywhere.

The services that they are for refuse them and say them back, which is where most leaks begin.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from daemon_process import MARK, READY
from pydantic import SecretStr
from standins.echo_standin import Echo, open_echo

from vidgend.settings import leaves
from vidgend.settings_sources import GUIDE_NAMES

pytestmark = pytest.mark.process
BODY = {
    "prompt": "The sea at dawn, and what lives in it",
    "scenes": [{"narration": "The sea is calm.", "query": "sea"}, {"narration": "A boat comes in.", "query": "boat"}],
    "quality": "draft",
}
PLANNED = {"prompt": "Why the sea is salt", "duration_target": 4, "quality": "draft"}
HERE = ("generate", "--local", "-v", "--duration", "4", "--quality", "draft")


@dataclass
class Canaries:
    """By place: the setting, or what else holds a secret."""

    by_place: dict[str, str] = field(default_factory=dict)

    def new(self, place: str, prefix: str = "") -> str:
        if place == "webhooks.secret":
            made = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        else:
            made = f"{prefix}cnry{secrets.token_hex(10)}"
        self.by_place[place] = made
        return made

    def found_in(self, what: bytes | str) -> list[str]:
        """The places whose secret is there, in whatever spelling."""
        data = what.encode("utf-8", "surrogateescape") if isinstance(what, str) else what
        return [place for place, canary in self.by_place.items() if any(one in data for one in spellings(canary))]


def spellings(canary: str) -> Iterator[bytes]:
    bare = canary.removeprefix("whsec_")
    yield bare.encode()
    yield quote(bare, safe="").encode()
    for lead in range(3):  # inside a longer base64, such as that of user:password
        encoded = base64.b64encode(b"x" * lead + bare.encode()).decode()
        yield encoded[4 if lead else 0 : -4].rstrip("=").encode()


def secret_settings() -> list[str]:
    """Every setting that is a secret, found in the model."""
    found = []
    for dotted, field_ in leaves():
        default = field_.get_default(call_default_factory=True)
        if isinstance(default, SecretStr):
            found.append(dotted)
    return found


@dataclass
class Nest:
    """A daemon with a canary in each place."""

    folder: Path
    echo: Echo
    canaries: Canaries = field(default_factory=Canaries)
    environ: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    children: set[bytes] = field(default_factory=set)
    """Arguments and environments of all child processes that were seen."""
    looked_at: set[str] = field(default_factory=set)
    """Processes that are there and need no second look."""
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    """All answers, with what was asked."""

    def settle(self, **more: str) -> None:
        """Spread the secrets over the ways in which settings are given."""
        credentials = self.folder / "credentials"
        credentials.mkdir()
        tree: dict[str, dict[str, str]] = {}
        dotenv = []
        guide = {dotted: name for name, dotted in GUIDE_NAMES.items()}
        for number, dotted in enumerate(secret_settings()):
            canary = self.canaries.new(dotted, "vg_" if dotted == "http.api_key" else "")
            variable = guide.get(dotted) or f"VIDGEND_{dotted.upper().replace('.', '__')}"
            way = number % 4
            if way == 0:
                self.environ[variable] = canary
            elif way == 1:
                dotenv.append(f"{variable}={canary}")
            elif way == 2:
                (credentials / dotted).write_text(f"{canary}\n")
            else:
                table, _, name = dotted.rpartition(".")
                tree.setdefault(table, {})[name] = canary
        password = self.canaries.new("a password in an address")
        address = self.echo.url.replace("://", f"://somebody:{password}@")
        tree.setdefault("planner", {}).update(base_url=f"{self.echo.url}/v1", model="some-model")
        self.environ |= {
            "VIDGEND_DATA_DIR": str(self.folder / "data"), "VIDGEND_HTTP__PORT": "0", "VIDGEND_LOG__LEVEL": "debug",
            "VIDGEND_LOG__FORMAT": "json", "CREDENTIALS_DIRECTORY": str(credentials),
            "VIDGEND_FOOTAGE__PEXELS__BASE_URL": self.echo.url, "VIDGEND_FOOTAGE__PIXABAY__BASE_URL": f"{self.echo.url}/api",
            "VIDGEND_SPEECH__SERVER__BASE_URL": f"{self.echo.url}/v1", "VIDGEND_ASSETS__ACCESS_KEY": "access-key-id",
            "VIDGEND_EGRESS__ALLOW_NETWORKS": "127.0.0.0/8", "TARGET_RESOLUTION": "320x180",
            "VIDGEND_FOOTAGE__OPENVERSE__BASE_URL": address, "VIDGEND_FOOTAGE__PROVIDERS": "pexels,pixabay,openverse,generated",
            "HF_TOKEN": self.canaries.new("HF_TOKEN"), MARK: str(self.folder), **more,
        }  # fmt: skip
        lines = [line for table, values in tree.items() for line in (
            f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items()))]  # fmt: skip
        (self.folder / "vidgend.toml").write_text("\n".join(lines))
        (self.folder / ".env").write_text("\n".join(dotenv))

    @property
    def variables(self) -> dict[str, str]:
        return {**os.environ, **self.environ}

    @property
    def log(self) -> Path:
        return self.folder / "log"

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "vidgend", "serve", cwd=self.folder, env=self.variables, stderr=log,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = (await asyncio.wait_for(self.process.stdout.readline(), 30)).decode()
        ready = READY.match(line)
        assert ready, line + self.log.read_text()
        self.url = ready[1]

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 30)

    async def watch_children(self) -> None:
        """As often as can be: a short one is seen by chance, the long ones for sure."""
        while True:
            await asyncio.to_thread(self._look_at_children)
            await asyncio.sleep(0.01)

    def _look_at_children(self) -> None:
        mark = f"{MARK}={self.folder}\0".encode()
        there = {entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()}
        self.looked_at &= there
        for name in there - self.looked_at:
            with contextlib.suppress(OSError):
                # The arguments first: until a child is another program it is the daemon itself.
                argv = Path("/proc", name, "cmdline").read_bytes()
                environ = Path("/proc", name, "environ").read_bytes()
                if mark not in environ:
                    self.looked_at.add(name)
                elif not argv.endswith(b"vidgend\0serve\0"):
                    self.looked_at.add(name)
                    self.children.add(argv + b"\0" + environ)

    async def ask(
        self, http: aiohttp.ClientSession, path: str, method: str = "GET", *, key: str | None = None, **more: Any
    ) -> Any:
        key = self.canaries.by_place["http.api_key"] if key is None else key
        url = path if "://" in path else f"{self.url}{path}"
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})} if key else {}
        async with http.request(method, url, headers=headers, **more) as answer:
            content = await answer.read()
            told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
            self.heard.append((f"{method} {path}", told.encode() + b"\n" + content))
            return json.loads(content) if "json" in answer.content_type else content

    async def run(self, *argv: str) -> bytes:
        """A command's stdout and stderr."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vidgend", *argv, cwd=self.folder, env=self.variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await asyncio.wait_for(process.communicate(), 120))[0]
        assert process.returncode != 2, f"there is no such command: {output!r}"
        return output

    def assert_silent(self, what: str, content: bytes | str) -> None:
        found = self.canaries.found_in(content)
        assert not found, f"{what} tells {found} in {content[:300]!r}: {_around(self.canaries, content)}"


def _around(canaries: Canaries, content: bytes | str) -> list[str]:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    lines = [line[:2000] for line in re.split(r"[\n\0]", text) if canaries.found_in(line)]
    return lines[:5]


@pytest.fixture
async def nest(tmp_path: Path) -> AsyncIterator[Nest]:
    async with open_echo() as echo:
        nest = Nest(folder=tmp_path, echo=echo)
        yield nest
        await nest.stop()


async def until_ended(nest: Nest, http: aiohttp.ClientSession, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(150):
        while True:
            status: dict[str, Any] = await nest.ask(http, f"/mcp/status/{job_id}")
            if status["status"] in ("completed", "failed", "cancelled"):
                return status
            await asyncio.sleep(0.3)


async def test_no_secret_comes_out_anywhere(nest: Nest) -> None:
    nest.settle()
    assert len(nest.canaries.by_place) >= 9
    await nest.start()
    watching = asyncio.create_task(nest.watch_children())
    async with aiohttp.ClientSession() as http:
        sent = await nest.ask(http, "/mcp/generate", "POST", json={**PLANNED, "callback_url": f"{nest.echo.url}/hook"})
        job_id = sent["job_id"]
        assert (await until_ended(nest, http, job_id))["status"] == "completed"
        result = await nest.ask(http, f"/mcp/result/{job_id}")
        for name in ("storyboard", "webhooks"):
            await nest.ask(http, f"/mcp/{name}/{job_id}")
        assert {"pexels", "pixabay"} <= {one["wanted"] for one in result["degraded"]} | {
            word for one in result["degraded"] for word in re.findall(r"\w+", one["reason"].lower())
        }, "the providers have refused"
        for link in set(re.findall(r'"(http://[^"]+)"', json.dumps(result))):
            await nest.ask(http, link, key="")
        async with asyncio.timeout(20):
            while "/hook" not in nest.echo.paths:
                await asyncio.sleep(0.1)
        for path in (
            "/mcp/jobs", "/mcp/usage", "/mcp/voices", "/mcp/styles", "/metrics", "/openapi.json", "/docs", "/docs/errors.md",
            "/livez", "/readyz", "/mcp/status/job_none", "/nowhere", "/mcp/assets/none", "/mcp/queue",
        ):  # fmt: skip
            await nest.ask(http, path)
        for wrong in ("", "vg_wrong", nest.canaries.by_place["footage.pexels.api_key"]):
            await nest.ask(http, "/mcp/jobs", key=wrong)
        api_key = nest.canaries.by_place["http.api_key"]
        await nest.ask(http, f"/mcp/jobs?api_key={api_key}&key={api_key}&state={api_key}")
        await nest.ask(http, "/mcp/generate", "POST", data=b"{", headers={"Content-Type": "application/json"})
        await nest.ask(http, "/mcp/generate", "POST", json={"prompt": 1, "nonsense": True})
        await nest.ask(http, "/nowhere", headers={"X-Request-Id": "Bearer x", "Origin": "http://evil.example"})
    watching.cancel()
    await nest.stop()

    # The test can fail: every service was asked, with its secret.
    said = "\n".join(nest.echo.said)
    used = {
        "footage.pexels.api_key", "footage.pixabay.api_key", "planner.api_key", "speech.server.api_key",
        "a password in an address",
    }  # fmt: skip
    assert used <= set(nest.canaries.found_in(said))
    assert len(nest.children) > 10

    nest.assert_silent("the log", nest.log.read_bytes())
    assert b'"event": "job_ended"' in nest.log.read_bytes()
    own = [(asked, content) for asked, content in nest.heard if api_key not in asked]
    echoed = [(asked, content) for asked, content in nest.heard if api_key in asked]
    for asked, content in own + echoed:
        nest.assert_silent(asked, content)
    for seen in nest.children:
        nest.assert_silent("a child's arguments or environment", seen)
    for body, path in zip(nest.echo.bodies, nest.echo.paths, strict=True):
        if path == "/hook":
            nest.assert_silent("a webhook's body", body)
    for path in (nest.folder / "data").rglob("*"):
        if (
            path.is_file()
            and path.stat().st_size < 200_000_000
            and path.name not in ("ballast", "webhook.secret", "url.key")
        ):
            nest.assert_silent(f"the file {path.name}", path.read_bytes())

    for argv in (
        ("config", "check"), ("config", "check", "--json"), ("config", "example"), ("doctor",), ("doctor", "--json"),
        ("usage",), ("fsck",), ("gc", "--dry-run"), ("list",), ("voices",),
    ):  # fmt: skip
        nest.assert_silent(" ".join(argv), await nest.run(*argv))
    # And without a daemon, where the log is the terminal's.
    made = nest.folder / "here.mp4"
    nest.assert_silent("generate --local", await nest.run(*HERE, "-o", str(made), "The sea and the shore"))
    assert made.is_file()


async def test_a_store_that_refuses_its_key_says_it_to_nobody(nest: Nest) -> None:
    password = nest.canaries.new("the store's password")
    address = nest.echo.url.replace("://", f"://somebody:{password}@")
    # The planner's address has one as well: its own key is then not sent, so it is not so in the other test.
    nest.settle(
        VIDGEND_ASSETS__URL="s3://bucket/tv",
        VIDGEND_ASSETS__ENDPOINT=address,
        VIDGEND_PLANNER__BASE_URL=f"{address}/v1",
    )
    await nest.start()
    async with aiohttp.ClientSession() as http:
        sent = await nest.ask(http, "/mcp/generate", "POST", json=BODY)
        async with asyncio.timeout(120):
            while True:
                status = await nest.ask(http, f"/mcp/status/{sent['job_id']}")
                if status.get("error"):
                    break
                await asyncio.sleep(0.3)
        await nest.ask(http, "/readyz")
        await nest.ask(http, "/metrics")
        assert status["error"]["code"].startswith("storage_")
    await nest.stop()
    nest.assert_silent("the log", nest.log.read_bytes())
    for asked, content in nest.heard:
        nest.assert_silent(asked, content)
    for argv in (("doctor",), ("config", "check", "--json")):
        nest.assert_silent(" ".join(argv), await nest.run(*argv))


WRONG = (
    {"VIDGEND_FOOTAGE__PEXELS__API_KEY": "{} has spaces"},
    {"VIDGEND_WEBHOOKS__SECRET": "{}"},
    {"VIDGEND_ASSETS__SECRET_KEY": "{}"},
    {"VIDGEND_HTTP__API_KEYY": "{}"},
    {"VIDGEND_PLANNER__BASE_URL": "http://user:{}@not a host/"},
    {"VIDGEND_ASSETS__ENDPOINT": "http://user:{}@host/?query"},
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
async def test_a_setting_that_is_wrong_is_refused_without_its_value(nest: Nest, wrong: dict[str, str]) -> None:
    canary = nest.canaries.new("wrong")
    nest.environ = {
        "VIDGEND_DATA_DIR": str(nest.folder / "data"), "VIDGEND_HTTP__PORT": "0",
        **{name: text.format(canary) for name, text in wrong.items()},
    }  # fmt: skip
    output = await nest.run("serve")
    assert output
    nest.assert_silent("serve", output)
