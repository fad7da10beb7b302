"""A stand-in for the daemon: real HTTP on a free port, answers from a table, every request remembered."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

JOB = "job_0123456789abcdef0123"


@dataclass(frozen=True, kw_only=True)
class Seen:
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]


def problem(status: int, code: str, detail: str, hint: str = "", **more: Any) -> tuple[int, Any]:
    return status, {"title": "t", "status": status, "code": code, "detail": detail, "hint": hint, **more}


class DaemonStandin:
    """`answers[(method, path)]` is (status, JSON value or bytes; None for no body), or a list of them of which the last
    one stays."""

    def __init__(self, *, key: str = "") -> None:
        self.key = key
        self.seen: list[Seen] = []
        self.asked = threading.Condition()
        self.cut_downloads = False
        self.streams: dict[str, list[Iterable[bytes]]] = {}
        """By path: streams of events, one for each time that one is asked for; pieces are sent as they come."""
        self.held = threading.Event()
        self.hold_downloads = False
        self.refuses_early: dict[str, Any] = {}
        """By path: answers that come before the body has."""
        self.read_on_bytes = 0
        """How much of such bodies came all the same."""
        self.answers: dict[tuple[str, str], Any] = {("GET", "/livez"): (200, {"status": "alive", "version": "x"})}
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                standin._answer(self)

            def do_POST(self) -> None:
                standin._answer(self)

            def do_PATCH(self) -> None:
                standin._answer(self)

            def do_DELETE(self) -> None:
                standin._answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="standin")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> DaemonStandin:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self, method: str) -> list[str]:
        return [seen.path for seen in self.seen if seen.method == method]

    def wait_for(self, method: str, path: str, within_s: float = 20) -> bool:
        """Whether such a request came in time."""
        with self.asked:
            return self.asked.wait_for(lambda: path in self.paths(method), within_s)

    def completes(self, statuses: list[dict[str, Any]] | None = None, **result: Any) -> None:
        """Let one job run through: the statuses, then completed; its files are the role's names in bytes."""
        accepted = {"job_id": JOB, "status": "accepted", "message": "The job is in the queue."}
        self.answers["POST", "/mcp/generate"] = (202, accepted)
        views = [*(statuses or []), {"status": "completed", "overall_progress": 100.0}]
        self.answers["GET", f"/mcp/status/{JOB}"] = [(200, {"job_id": JOB, "logs": [], **view}) for view in views]
        urls = {}
        for role in ("video", "thumbnail", "srt", "vtt", "words", "description"):
            self.answers["GET", f"/mcp/assets/{role}"] = (200, role.encode() * 1000)
            urls[role] = f"https://public.example/vidgend/mcp/assets/{role}?sig=abc"
        self.answers["GET", f"/mcp/result/{JOB}"] = (
            200,
            {
                "job_id": JOB, "status": "completed", "kind": "video", "video_url": urls["video"],
                "thumbnail_url": urls["thumbnail"], "duration": 12.5, "width": 1920, "height": 1080,
                "size_bytes": 5000, "subtitles": {role: urls[role] for role in ("srt", "vtt", "words")},
                "description_url": urls["description"],
                "degraded": [], **result,
            },
        )  # fmt: skip

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        refusal = self.refuses_early.get(parts.path)
        raw = handler.rfile.read(length) if refusal is None else handler.rfile.read(1000)
        seen = Seen(
            method=handler.command, path=parts.path, query=parse_qs(parts.query),
            body=raw if parts.path == "/mcp/assets" else json.loads(raw) if raw else None, headers=dict(handler.headers),
        )  # fmt: skip
        with self.asked:
            self.seen.append(seen)
            self.asked.notify_all()
        if streams := self.streams.get(parts.path):
            self._stream(handler, streams.pop(0))
            return
        answer = self.answers.get((handler.command, parts.path), problem(404, "not_found", "no such path"))
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        open_path = parts.path == "/livez" or "sig" in seen.query
        if self.key and not open_path and seen.headers.get("Authorization") != f"Bearer {self.key}":
            answer = problem(401, "unauthorized", "A valid key is needed")
        status, value = answer if refusal is None else refusal
        body = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
        kind = "application/json" if status < 400 else "application/problem+json"
        handler.send_response(status)
        if value is not None:
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if not isinstance(value, bytes) or not (self.cut_downloads or self.hold_downloads):
            handler.wfile.write(body)
            if refusal is not None:  # as servers do, so that the client gets to read the answer
                handler.connection.shutdown(socket.SHUT_WR)
                while piece := handler.rfile.read1(1_000_000):
                    self.read_on_bytes += len(piece)
            return
        handler.wfile.write(body[: len(body) // 2])
        if self.hold_downloads:
            handler.wfile.flush()
            self.held.wait(20)

    def _stream(self, handler: BaseHTTPRequestHandler, pieces: Iterable[bytes]) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                handler.wfile.write(piece)
                handler.wfile.flush()
