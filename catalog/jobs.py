"""Durable work: enqueue inside the business transaction, claim with a lease, run, sweep what was left.

A handler is a plain function (job) -> result dict registered under a kind; running it twice must do no harm. Celery only
wakes: `enqueue` calls run_job.delay after commit, and the sweeper finds whatever a lost message left behind.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from catalog.models import Job

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
BACKOFF = (5, 15, 60, 300, 900)  # seconds before the next attempt
HANDLERS: dict[str, Callable[[Job], dict | None]] = {}


class Cancelled(Exception):
    """Raised inside a handler when a person cancelled its job."""


def job_handler(kind: str):
    def register(function):
        HANDLERS[kind] = function
        return function

    return register


def enqueue(kind: str, payload: dict | None = None, *, key: str | None = None, delay: timedelta = timedelta(0), max_attempts: int = 5) -> Job:
    """A queued Job; with a key, the open one of that key if there is one already."""
    values = {"kind": kind, "payload": payload or {}, "run_after": timezone.now() + delay, "max_attempts": max_attempts}
    try:
        with transaction.atomic():
            job = Job.objects.create(idempotency_key=key, **values)
    except IntegrityError:
        job = Job.objects.filter(idempotency_key=key, state__in=["queued", "running"]).first()
        if job is None:  # it ended between the two statements
            return enqueue(kind, payload, key=key, delay=delay, max_attempts=max_attempts)
    if not delay:
        transaction.on_commit(lambda: wake(job.pk))
    return job


def wake(job_pk: int) -> None:
    """Tell a worker. A broker that is down only costs the time to the next sweep."""
    from catalog.tasks import run_job

    try:
        run_job.delay(job_pk)
    except OSError as error:
        logger.warning("Job %s was not announced (%s); the sweeper will find it", job_pk, type(error).__name__)


def claim(job_pk: int) -> Job | None:
    """The job with a fresh lease, or None when it is done, not due, or somebody else's."""
    now, token = timezone.now(), uuid.uuid4()
    free = Q(state="queued", run_after__lte=now) | Q(state="running", lease_until__lt=now)
    taken = Job.objects.filter(free, pk=job_pk).update(
        state="running", lease_until=now + LEASE, lease_token=token, heartbeat_at=now, attempts=F("attempts") + 1
    )
    return Job.objects.get(pk=job_pk) if taken else None


@contextmanager
def heartbeat(job: Job):
    """Extend the lease from a thread of its own while the handler works."""
    done = threading.Event()

    def beat():
        while not done.wait(LEASE.total_seconds() / 3):
            now = timezone.now()
            Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(lease_until=now + LEASE, heartbeat_at=now)
        connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def run(job_pk: int) -> bool:
    """Claim and run one job; False when there was nothing to claim. Failures are rows with a reason, retried with back-off."""
    job = claim(job_pk)
    if job is None:
        return False
    if job.attempts > job.max_attempts:
        finish(job, state="failed", error=job.error or f"given up after {job.max_attempts} attempts")
        return True
    try:
        with heartbeat(job) if not connection.in_atomic_block else _nothing():
            result = HANDLERS[job.kind](job)
        finish(job, state="done", result=result or {})
    except Cancelled:
        finish(job, state="cancelled")
    except Exception as error:  # whatever a handler raises must end in the row, not in a lost task
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        retry_or_fail(job, error)
    return True


@contextmanager
def _nothing():
    yield


def finish(job: Job, *, state: str, result: dict | None = None, error: str = "") -> None:
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(
        state=state, result=result, error=error[:2000], finished_at=timezone.now(), lease_until=None
    )


def retry_or_fail(job: Job, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:2000]
    if job.attempts >= job.max_attempts:
        finish(job, state="failed", error=text)
        return
    wait = timedelta(seconds=BACKOFF[min(job.attempts - 1, len(BACKOFF) - 1)])
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(state="queued", run_after=timezone.now() + wait, lease_until=None, error=text)


def progress(job: Job, done: int, total: int | None = None) -> None:
    """Record how far the work is; raises Cancelled when a person asked for that."""
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(done_units=done, total_units=total)
    if Job.objects.filter(pk=job.pk, state="cancelled").exists():
        raise Cancelled


def due() -> list[int]:
    now = timezone.now()
    free = Q(state="queued", run_after__lte=now) | Q(state="running", lease_until__lt=now)
    return list(Job.objects.filter(free).order_by("run_after").values_list("pk", flat=True)[:500])


def run_due() -> int:
    """Run everything that is due, here and now (tests, commands without a worker)."""
    count = 0
    while pks := due():
        count += sum(run(pk) for pk in pks)
    close_old_connections() if not connection.in_atomic_block else None
    return count
