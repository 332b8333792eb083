"""A job for tests/catalog/test_jobs.py, loaded into a real worker: it notes when it starts and ends, and takes its time."""

import time
from pathlib import Path

from catalog.jobs import job_handler, progress


@job_handler("test-slow")
def slow(job):
    notes = Path(job.payload["notes"])
    with notes.open("a") as file:
        file.write(f"start {job.attempts}\n")
    for step in range(job.payload["steps"] if job.attempts == 1 else 2):
        time.sleep(0.1)
        progress(job, step)
    with notes.open("a") as file:
        file.write(f"end {job.attempts}\n")
    return {"attempt": job.attempts}
