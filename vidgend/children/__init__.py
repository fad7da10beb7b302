"""The one door for child processes. Nothing else in vidgend spawns.

Every child gets its own session, no terminal, a drained and bounded stderr, and dies with its parent
(`setpriv --pdeathsig KILL`, measured: after SIGKILL of the daemon no child is left). Stopping is
SIGTERM to the group, a short grace, SIGKILL to the group, reap; only then does the call return, so a slot
that is held around it is free when it says so. `Limits` bounds what one may take of the machine (docs/adr/0013).
"""

from vidgend.children.child import QUIET, STDERR_TAIL_BYTES, Child, Finished, dies_with_parent, held, run
from vidgend.children.json_service import JsonService
from vidgend.children.limits import OOM_SCORE, Limits

__all__ = [
    "OOM_SCORE", "QUIET", "STDERR_TAIL_BYTES", "Child", "Finished", "JsonService", "Limits", "dies_with_parent",
    "held", "run",
]  # fmt: skip
