"""Makes a video and fetches it:   python make_video.py "The sea at night." sea.mp4

VIDGEND_URL says where the daemon is, VIDGEND_KEY is its key if it asks for one. Needs vidgend installed here.
"""

import os
import sys

from vidgend.client import Vidgend
from vidgend.errors import VidgendError

prompt, path = sys.argv[1:]
vidgend = Vidgend(os.environ.get("VIDGEND_URL", "http://127.0.0.1:8080"), api_key=os.environ.get("VIDGEND_KEY", ""))
try:
    job = vidgend.generate(prompt=prompt, duration_target=30)
    vidgend.wait(job, on_progress=lambda status: print(f"{status['overall_progress']} %  {status['current_step']}"))
    print(vidgend.download(vidgend.result(job), path))
except VidgendError as error:
    sys.exit(f"{error.code}: {error.detail} {error.hint}")
