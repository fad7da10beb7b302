"""The same without vidgend's client, with httpx:   python make_video_httpx.py "The sea at night." sea.mp4

VIDGEND_URL says where the daemon is, VIDGEND_KEY is its key if it asks for one.
"""

import os
import sys
import time
import uuid
from pathlib import Path

import httpx

prompt, path = sys.argv[1:]
key = os.environ.get("VIDGEND_KEY", "")
vidgend = httpx.Client(
    base_url=os.environ.get("VIDGEND_URL", "http://127.0.0.1:8080"),
    headers={"Authorization": f"Bearer {key}"} if key else {},
    timeout=30,
)


def answer(response: httpx.Response) -> dict:
    if response.is_error:
        problem = response.json()
        sys.exit(f"{problem['code']}: {problem['detail']} {problem.get('hint', '')}")
    return response.json()


# The same key with the same body is the same job: send both again if the connection breaks.
once = {"Idempotency-Key": str(uuid.uuid4())}
job = answer(vidgend.post("/mcp/generate", json={"prompt": prompt, "duration_target": 30}, headers=once))["job_id"]
while (status := answer(vidgend.get(f"/mcp/status/{job}")))["status"] not in ("completed", "failed", "cancelled"):
    print(f"{status['overall_progress']} %  {status['current_step']}")
    time.sleep(float(os.environ.get("POLL_S", "2")))

# For a job that failed this is a problem that says why. The address is signed: it is opened without the key.
result = answer(vidgend.get(f"/mcp/result/{job}"))
with httpx.stream("GET", result["video_url"]) as video, Path(path).open("wb") as file:
    video.raise_for_status()
    for piece in video.iter_bytes():
        file.write(piece)
