"""What schemathesis is told of this server when it checks the document: which refusals no schema can foresee, and why.

Loaded by schemathesis in its own process; `CONTRACT_TOLD` names the file that the sums of the excused go to.
"""

from __future__ import annotations

import atexit
import itertools
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

EXCUSED_CODES = {
    "voice_unknown": "which voices there are is told by GET /mcp/voices, and differs from machine to machine",
    "font_unknown": "which fonts there are differs from machine to machine",
    "language_unsupported": "which languages are spoken differs from machine to machine",
    "not_available": "what is installed and switched on differs from machine to machine",
    "callback_forbidden": "which networks may be called is told by the settings",
    "target_forbidden": "which networks may be called is told by the settings",
    "fetch_failed": "what the network has at an address is told by asking it",
    "upload_unknown": "which uploads there are is state",
    "idempotency_key_reused": "which keys were used is state",
    "media_refused": "whether bytes are a video, a photo or sound is told by looking into them",
    "prompt_empty": "what words are beyond ASCII, and which tags are markup and no words, no portable pattern tells",
    "storyboard_changed": "which version is the newest is state",
    "precondition_failed": "which ETag the asset has is told by the asset",
    "range_not_satisfiable": "how many bytes the asset has is told by the asset",
    "result_expired": "what was deleted is state",
}
"""Refusals of what is well formed, by their code."""
EXCUSED_DETAILS = {
    "there is no upload": "which uploads there are is state",
    "is no uploaded video or photo": "which uploads there are is state",
    "is not a next_cursor": "a cursor is opaque: only the server can tell its own",
    "must hold a letter or digit": "what a letter is beyond ASCII, no portable pattern tells",
    "frame rate": "JSON Schema cannot divide, and a rate may be written as a fraction",
    "must be http(s)://host/": "whether a host is a name is told by IDNA, and whether it is an address by its parts",
    "must have a port": "which numbers are at most 65535, no pattern tells in short",
    "must be a date such as": "which months have 31 days, no pattern tells",
    "is after `to`": "JSON Schema compares no two fields",
    "larger than 10 000 characters": "JSON Schema does not measure an object",
    "needs `scenes`": "JSON Schema compares no two fields",
    "texts for": "JSON Schema compares no two fields",
    "is empty, but scene": "JSON Schema compares no two fields",
    "let an output in that language come first": "which language a text is in, no pattern tells",
    "they may differ in shape and size": "JSON Schema compares no two fields",
    "which belongs into": "what an upload is is told by looking into it",
    "another output has this name": "JSON Schema compares no two fields of the items of a list",
    "there is no scene": "which scenes there are is state",
    "is named twice": "a scene has two names, its id and its number",
    "must name each of the": "which scenes there are is state",
    "is removed": "JSON Schema compares no two fields",
    "no scene is left": "which scenes there are is state",
    "are the most": "which scenes there are is state",
    "no scene would have any words": "whether a text says something, no portable pattern tells",
    "is not among the scene's candidates": "which candidates there are is state",
    "the scene shows no video": "what a scene shows is state",
    "the scene has no clip": "what a scene shows is state",
    "the clip is only": "how long a clip is is told by the clip",
    "must say which words of the recording": "whether a text says something, no portable pattern tells",
}
"""Refusals of single fields, by a part of what is said of them."""
EXCUSED_FAILURES = {
    ("AllowHeaderMismatch", "/mcp/webhooks/test"): "it is also the path of the events of a job `test`, which GET takes",
}
"""Other failures, by their name and the path of the operation."""
EXAMPLE_ID = "job_0123456789abcdef0123"
JOBS: list[str] = json.loads(os.environ.get("CONTRACT_JOBS", "[]"))
_turn = itertools.count()
_excused: Counter[str] = Counter()
_statuses: Counter[str] = Counter()


def why_excused(problem: dict[str, Any]) -> str | None:
    """Why a schema cannot foresee this refusal; None if it could."""
    if problem.get("code") in EXCUSED_CODES:
        return EXCUSED_CODES[problem["code"]]
    details = [one.get("detail", "") for one in problem.get("errors", ())]
    reasons = [next((reason for part, reason in EXCUSED_DETAILS.items() if part in detail), None) for detail in details]
    return reasons[0] if reasons and None not in reasons else None


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    if isinstance(failure, RejectedPositiveData):
        reason = why_excused(_problem(response))
    else:
        reason = EXCUSED_FAILURES.get((type(failure).__name__, case.path))
    if reason is not None:
        _excused[reason] += 1
    return reason is None


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Where an id is the document's example it is that of a real job instead; and most requests have a key of their
    own, or all but the first would be refused for using it again."""
    turn = next(_turn)
    if JOBS and case.method != "DELETE" and (case.path_parameters or {}).get("job_id") == EXAMPLE_ID:
        case.path_parameters["job_id"] = JOBS[turn % len(JOBS)]
    key = (case.headers or {}).get("Idempotency-Key")
    if key and case.meta is not None and case.meta.generation.mode.is_positive and turn % 4 and len(key) < 200:
        case.headers["Idempotency-Key"] = f"{key}-{turn}"


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """The queue stays paused, so that no job that was made up is rendered."""
    _statuses[f"{case.method} {case.path} {response.status_code} {_problem(response).get('code', '')}".strip()] += 1
    if case.path == "/mcp/resume" and response.status_code == 200:
        key = os.environ["CONTRACT_KEY"]
        url = response.request.url.split("/mcp/")[0] + "/mcp/pause"
        requests.post(url, headers={"Authorization": f"Bearer {key}"}, timeout=30).raise_for_status()


def _problem(response: Any) -> dict[str, Any]:
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) and "code" in told else {}


@atexit.register
def _tell() -> None:
    if told := os.environ.get("CONTRACT_TOLD"):
        sums = {"excused": dict(_excused), "answers": dict(_statuses)}
        Path(told).write_text(json.dumps(sums, indent=1, sort_keys=True))
