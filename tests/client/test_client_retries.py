"""Which calls are made again, when, and for how long."""

from __future__ import annotations

import pytest

from vidgend.client.retries import Patience, patiently
from vidgend.errors import BadInput, DaemonUnreachable, QueueFull, VidgendError


def _refusal(status: int, retry_after_s: float | None) -> VidgendError:
    error = QueueFull()
    error.status, error.retry_after_s = status, retry_after_s
    return error


def _run(errors: list[VidgendError], patience: Patience, *, repeatable: bool) -> tuple[str | VidgendError, list[float]]:
    left, slept = [*errors], []

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidgend.client.retries.time.sleep", slept.append)
        try:
            return patiently(call, patience, repeatable=repeatable), slept
        except VidgendError as error:
            return error, slept


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", [429, 503])
def test_a_call_that_was_put_off_is_made_again_when_it_may_be(status: int, repeatable: bool) -> None:
    errors = [_refusal(status, 2), _refusal(status, 7)]
    assert _run(errors, Patience(), repeatable=repeatable) == ("done", [2, 7])


def test_only_a_call_that_may_be_repeated_survives_a_broken_connection() -> None:
    errors: list[VidgendError] = [DaemonUnreachable(), DaemonUnreachable(), DaemonUnreachable()]
    assert _run(errors, Patience(), repeatable=True) == ("done", [0.5, 1, 2])
    assert _run(errors, Patience(), repeatable=False) == (errors[0], [])


def test_patience_has_an_end() -> None:
    errors: list[VidgendError] = [DaemonUnreachable() for _ in range(9)]
    assert _run(errors, Patience(tries=3), repeatable=True) == (errors[2], [0.5, 1])
    long = [_refusal(503, 50), _refusal(503, 50)]
    assert _run(long, Patience(wait_s=60), repeatable=True) == (long[1], [50])
    assert _run(long, Patience(wait_s=10), repeatable=True) == (long[0], [])


@pytest.mark.parametrize("error", [_refusal(503, None), _refusal(507, 5), BadInput("no"), VidgendError()])
def test_nothing_else_is_tried_again(error: VidgendError) -> None:
    assert _run([error], Patience(), repeatable=True) == (error, [])
