"""A real Chromium, steered over its DevTools protocol: what a page asks for, what its console says, what it shows."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_LISTENS = re.compile(r"DevTools listening on (ws://\S+)")


class Page:
    """One page. `requests` are the URLs that it asked for, `console` what it wrote there, refusals by the content policy
    included, `errors` what was thrown and not caught."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.console: list[str] = []
        self.errors: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._session = ""

    async def attach(self) -> None:
        target = await self._send("Target.createTarget", url="about:blank")
        session = await self._send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = session["sessionId"]
        for domain in ("Network", "Log", "Runtime", "Page"):
            await self._send(f"{domain}.enable")

    async def open(self, url: str) -> None:
        await self._send("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of its promise."""
        answer = await self._send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, within_s: float = 20.0) -> None:
        """Wait until an expression, or what it promises, is true."""
        true = False
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (true := await self.run(f"Promise.resolve({expression}).then(Boolean)")):
                    await asyncio.sleep(0.1)
        assert true, f"{expression}; the page shows: {(await self.run('document.body?.innerText'))[:2000]}"

    async def type(self, text: str) -> None:
        """Into what has the focus."""
        await self._send("Input.insertText", text=text)

    async def _send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params}
        await self._socket.send_json(message | ({"sessionId": self._session} if self._session else {}))
        return await asyncio.wait_for(self._answers[number], 30)

    async def listen(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                if (waiting := self._answers.get(told["id"])) is not None:
                    waiting.set_result(told.get("result", {}))
                continue
            params = told.get("params", {})
            match told["method"]:
                case "Network.requestWillBeSent":
                    self.requests.append(params["request"]["url"])
                case "Log.entryAdded":
                    self.console.append(f"{params['entry']['level']}: {params['entry']['text']}")
                case "Runtime.consoleAPICalled":
                    words = " ".join(str(one.get("value", one.get("description"))) for one in params["args"])
                    self.console.append(f"{params['type']}: {words}")
                case "Runtime.exceptionThrown":
                    self.errors.append(str(params["exceptionDetails"]))


@asynccontextmanager
async def open_page(folder: Path) -> AsyncIterator[Page]:
    """A page of a browser of its own, with its profile in `folder`, that resolves no names but numbers."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size=1400,900",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        address = None
        async with asyncio.timeout(30):
            while address is None:
                line = (await process.stderr.readline()).decode()
                assert line, "Chromium ended at once"
                address = _LISTENS.search(line)
        draining = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as http, http.ws_connect(address[1], max_msg_size=0) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            try:
                await page.attach()
                yield page
            finally:
                await socket.close()
                await listening
                process.kill()
                await draining
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
