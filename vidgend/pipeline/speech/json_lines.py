"""The child's side of `children.JsonService`: one JSON object a line in, one a line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from vidgend.errors import VidgendError

Handle = Callable[[dict[str, Any]], dict[str, Any]]

EXPECTED = (VidgendError, ValueError, LookupError, OSError, RuntimeError, ImportError, MemoryError)
"""What is answered as an error, with the model kept. Anything else ends the child, and the parent starts a new one."""


def serve(handle: Handle) -> None:
    """Answer every line on stdin until it closes.

    The real stdout is kept for answers and descriptor 1 pointed at stderr, since model libraries print what they like.
    It stays open until the process is gone: the parent takes its end for the child's, and would stop the child before
    a traceback is written.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = handle(json.loads(line))
        except EXPECTED as error:
            answer = {"error": {"code": type(error).__name__, "detail": str(error) or type(error).__name__}}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
