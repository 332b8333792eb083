"""Durable work: enqueue inside the business transaction, claim with a lease, run, sweep what was left.

A handler is a plain function (job) -> result dict registered under a kind, in a module that <app>/tasks.py imports; running it
twice must do no harm. Celery only wakes: `enqueue` announces after commit, and the sweeper finds whatever a lost message left
behind. What a handler writes in one long transaction keeps SQLite's only writer, so work in short ones.
"""

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import ChannelError, OperationalError

from catalog.models import IdempotencyKey, Job

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=settings.PORTAL_JOB_LEASE_SECONDS)
ANNOUNCE_AGAIN = timedelta(seconds=60)  # how long a message may take to reach a worker before it counts as lost
KEEP = timedelta(days=30)
BACKOFF = (5, 15, 60, 300, 900)  # seconds before the next attempt
BROKER_DOWN = (OSError, OperationalError, ChannelError)
HANDLERS: dict[str, Callable[[Job], dict | None]] = {}
_here: set[int] = set()  # jobs that a thread of this process works on
_here_lock = threading.Lock()


class Cancelled(Exception):
    """Raised inside a handler when a person cancelled its job."""


class LeaseLost(Exception):
    """Raised inside a handler when another worker has taken its job over."""


def job_handler(kind: str):
    def register(function):
        HANDLERS[kind] = function
        return function

    return register


def enqueue(kind: str, payload: dict | None = None, *, key: str | None = None, delay: timedelta = timedelta(0), max_attempts: int = 5) -> Job:
    """A queued Job; with a key, the open one of that key if there is one already.

    If that one is running, it may have read what has changed since: it runs once more when it ends.
    """
    values = {"kind": kind, "payload": payload or {}, "run_after": timezone.now() + delay, "max_attempts": max_attempts}
    while True:
        try:
            with transaction.atomic():
                job = Job.objects.create(idempotency_key=key, announced_at=None if delay else timezone.now(), **values)
            break
        except IntegrityError:
            if key is None:
                raise
        open_job = _join(key)
        if open_job:
            return open_job  # else it ended between the two statements: try again
    if not delay:
        transaction.on_commit(lambda: wake(job.pk))
    return job


def _join(key: str) -> Job | None:
    job = Job.objects.filter(idempotency_key=key, state__in=["queued", "running"]).first()
    if job and job.state == "running" and not Job.objects.filter(pk=job.pk, state="running").update(rerun=True):
        return None
    return job


def wake(job_pk: int) -> None:
    """Tell a worker. A broker that is down only costs the time to the next announcement."""
    from catalog.tasks import run_job

    try:
        run_job.delay(job_pk)
    except BROKER_DOWN as error:
        logger.warning("Job %s was not announced (%s); the sweeper will find it", job_pk, type(error).__name__)
        Job.objects.filter(pk=job_pk).update(announced_at=None)


def cancel(job: Job) -> bool:
    """Ask that a job does not run, or stops at its next progress(); False when it has ended already."""
    now = timezone.now()
    open_job = Job.objects.filter(pk=job.pk, state__in=["queued", "running"])
    return bool(open_job.update(state="cancelled", finished_at=now, lease_until=None, rerun=False))


def _free() -> Q:
    now = timezone.now()
    return Q(state="queued", run_after__lte=now) | Q(state="running", lease_until__lt=now)


def claim(job_pk: int) -> Job | None:
    """The job with a fresh lease, or None when it is done, not due, or somebody else's."""
    now, token = timezone.now(), uuid.uuid4()
    taken = Job.objects.filter(_free(), pk=job_pk).update(
        state="running", lease_until=now + LEASE, lease_token=token, heartbeat_at=now, announced_at=None, attempts=F("attempts") + 1
    )
    return Job.objects.get(pk=job_pk) if taken else None


def _mine(job: Job):
    return Job.objects.filter(pk=job.pk, lease_token=job.lease_token, state="running")


@contextmanager
def heartbeat(job: Job):
    """Extend the lease from a thread of its own while the handler works. A database that is busy is asked again at the next beat."""
    done = threading.Event()

    def beat():
        try:
            while not done.wait(LEASE.total_seconds() / 3):
                try:
                    now = timezone.now()
                    _mine(job).update(lease_until=now + LEASE, heartbeat_at=now)
                except DatabaseError as error:
                    logger.warning("Job %s: heartbeat not written (%s)", job.pk, type(error).__name__)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True, name=f"heartbeat-{job.pk}")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def run(job_pk: int) -> bool:
    """Claim and run one job; False when there was nothing to claim. Failures are rows with a reason, retried with back-off."""
    with _here_lock:  # a heartbeat that was late on a busy SQLite must not start the job a second time beside itself
        if job_pk in _here:
            return False
        _here.add(job_pk)
    try:
        job = claim(job_pk)
        if job is None:
            return False
        _run_claimed(job)
        return True
    finally:
        with _here_lock:
            _here.discard(job_pk)


def _run_claimed(job: Job) -> None:
    if job.attempts > job.max_attempts:
        finish(job, state="failed", error=job.error or f"given up after {job.max_attempts} attempts")
        return
    handler = HANDLERS.get(job.kind)
    if handler is None:  # a worker of an older version; a newer one may take it
        retry_or_fail(job, LookupError(f"no handler for {job.kind!r} in this worker"))
        return
    try:
        # Inside a transaction (tests) a second connection would wait for this one.
        with nullcontext() if connection.in_atomic_block else heartbeat(job):
            result = handler(job)
        finish(job, state="done", result=result or {})
    except Cancelled:
        logger.info("Job %s (%s) was cancelled", job.pk, job.kind)
    except LeaseLost:
        logger.warning("Job %s (%s) was taken over by another worker", job.pk, job.kind)
    except Exception as error:  # whatever a handler raises must end in the row, not in a lost task
        logger.exception("Job %s (%s) failed", job.pk, job.kind)
        retry_or_fail(job, error)


def finish(job: Job, *, state: str, result: dict | None = None, error: str = "") -> bool:
    """End the job if it is still this worker's; one that was asked for again meanwhile is queued instead. False when it was not."""
    now = timezone.now()
    again = (
        _mine(job)
        .filter(rerun=True)
        .update(state="queued", rerun=False, attempts=0, result=result, error=error[:2000], run_after=now, lease_until=None, announced_at=now)
    )
    if again:
        transaction.on_commit(lambda: wake(job.pk))
        return True
    ended = _mine(job).filter(rerun=False).update(state=state, result=result, error=error[:2000], finished_at=now, lease_until=None)
    if ended or not _mine(job).exists():
        return bool(ended)
    return finish(job, state=state, result=result, error=error)  # asked for again between the two statements


def retry_or_fail(job: Job, error: Exception) -> None:
    text = f"{type(error).__name__}: {error}"[:2000]
    if job.attempts >= job.max_attempts:
        finish(job, state="failed", error=text)
        return
    wait = timedelta(seconds=BACKOFF[min(job.attempts - 1, len(BACKOFF) - 1)])
    _mine(job).update(state="queued", rerun=False, run_after=timezone.now() + wait, lease_until=None, announced_at=None, error=text)


def progress(job: Job, done: int, total: int | None = None) -> None:
    """Record how far the work is. Raises Cancelled when a person asked for that, LeaseLost when another worker has the job."""
    if not _mine(job).update(done_units=done, total_units=total):
        raise Cancelled if Job.objects.filter(pk=job.pk, state="cancelled").exists() else LeaseLost


def due() -> list[int]:
    return list(Job.objects.filter(_free()).order_by("run_after").values_list("pk", flat=True)[:500])


def sweep() -> int:
    """Announce what is due and no worker was told of: delayed work, retries, expired leases; and, a few at a time, what
    was announced long ago: its message is lost, or stands in a long queue that must not be flooded with its copies."""
    now = timezone.now()
    free = Job.objects.filter(_free()).order_by("run_after").values_list("pk", flat=True)
    pks = [*free.filter(announced_at=None)[:500], *free.filter(announced_at__lt=now - ANNOUNCE_AGAIN)[:100]]
    Job.objects.filter(pk__in=pks).update(announced_at=now)
    for pk in pks:
        wake(pk)
    return len(pks)


def prune() -> int:
    """Forget what ended more than KEEP ago, and answers kept for repeated requests."""
    before = timezone.now() - KEEP
    IdempotencyKey.objects.filter(created_at__lt=before).delete()
    return Job.objects.filter(state__in=["done", "failed", "cancelled"], finished_at__lt=before).delete()[0]


def run_due() -> int:
    """Run everything that is due, here and now (tests, commands without a worker)."""
    count = 0
    while ran := sum(run(pk) for pk in due()):
        count += ran
    if not connection.in_atomic_block:
        close_old_connections()
    return count
