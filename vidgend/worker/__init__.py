"""claim -> run -> finish: `worker.py` claims jobs and owns their tasks, `attempt.py` runs one, `retries.py` says
whether it is tried again, and `upkeep.py` keeps room for them on the disk."""
