"""The events of a job, or of all, over breaks of the stream and restarts of the daemon."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

from vidgend.client.daemon import Daemon
from vidgend.client.event_stream import AT_REST, NoEvents, StreamEvent, at_rest
from vidgend.client.retries import passing
from vidgend.errors import VidgendError

COME_AGAIN_S = 2.0
"""How long a stream of events that broke off is left alone."""
AWAY_S = 60.0
"""How long a daemon may be away, for example for a restart, while a job is waited for: jobs survive that."""


def follow_events(
    daemon: Daemon, job_id: str | None, *, last_id: str, state_of: Callable[[str], str], known: bool = True
) -> Iterator[StreamEvent]:
    """What happens to a job until it has come to rest, or to all jobs without an end. After a break the stream is asked
    for again after `last_id`, so nothing is missed. `state_of` asks the daemon how a job is.
    `known`: whether there is a daemon at that address; one that never answered is not waited for.

    Raises: DaemonUnreachable after AWAY_S, or why it was put off for so long; NoEvents where no stream gets through.
    """
    away_since = time.monotonic()
    while True:
        heard = present = rests = False
        try:
            with closing(daemon.events(job_id, last_id=last_id)) as stream:
                for event in stream:
                    heard = known = True
                    last_id = event.id or last_id
                    yield event
                    if event.name == "snapshot":  # what was missed comes before it: a rest of then may be over
                        present, rests = True, at_rest(event)
                    elif job_id is not None and present and at_rest(event):
                        return
            if rests or (job_id is not None and not heard and state_of(job_id) in AT_REST):
                return  # all of it was seen, now or before
            away_since = time.monotonic()
        except (VidgendError, NoEvents) as error:
            # A stream says nothing for as long as nothing happens: what was heard last may be long ago.
            if heard:
                away_since = time.monotonic()
            elif not (known and passing(error)) or time.monotonic() - away_since > AWAY_S:
                raise
        time.sleep(COME_AGAIN_S)
