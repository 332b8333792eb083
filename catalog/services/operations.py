"""What an administrator needs to see of a running portal and to set right: queues, search index, audit trail, links."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import jobs
from catalog.exceptions import InvalidTransition, NotAllowed
from catalog.models import Job, Resource, User
from catalog.search.backends import get_backend
from catalog.services import audit

CHECK, REPAIR, BUILD, VERIFY = "search.check", "search.repair", "search.build", "audit.verify"
ASKED = (CHECK, REPAIR, BUILD, VERIFY)  # what a person may ask for
NAMED = 20  # datasets named in the result of a check
LATE = timedelta(minutes=10)  # a job that should have begun so long ago means that no worker is at work


def require_administrator(user: User) -> None:
    if not (user.is_authenticated and user.is_portal_admin):
        raise NotAllowed(_("运维只对门户管理员开放。"))


def queues() -> list[dict]:
    """Per kind of work: {"kind", "queued", "running", "failed", "late"}; `late` is the oldest due moment that passed long ago, or None."""
    now = timezone.now()
    due = Q(state="queued", run_after__lt=now - LATE)
    states = {state: Count("pk", filter=Q(state=state)) for state in ("queued", "running", "failed")}
    rows = Job.objects.order_by().values("kind").annotate(**states, late=Min("run_after", filter=due))
    return list(rows.exclude(queued=0, running=0, failed=0).order_by("kind"))


def failed(limit: int = 20):
    return Job.objects.filter(state=Job.State.FAILED).order_by("-finished_at")[:limit]


@transaction.atomic
def retry(job: Job, *, user: User) -> None:
    """Queue a failed job again, from its first attempt. InvalidTransition when it has not failed, or the same work is open already."""
    require_administrator(user)
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state != Job.State.FAILED:
        raise InvalidTransition(_("这个任务没有失败，不用重试。"))
    if job.idempotency_key and Job.objects.filter(idempotency_key=job.idempotency_key, state__in=["queued", "running"]).exists():
        raise InvalidTransition(_("同样的任务已在排队或进行中。"))
    job.state, job.attempts, job.run_after, job.finished_at, job.announced_at = Job.State.QUEUED, 0, timezone.now(), None, timezone.now()
    job.save(update_fields=["state", "attempts", "run_after", "finished_at", "announced_at"])
    audit.append("job.retried", job, actor=user, kind=job.kind)
    transaction.on_commit(lambda: jobs.wake(job.pk))


@transaction.atomic
def ask(kind: str, *, user: User) -> Job:
    """Have one of ASKED done by a worker; asking twice gives one."""
    require_administrator(user)
    if kind not in ASKED:
        raise InvalidTransition(_("没有这种操作。"))
    job = jobs.enqueue(kind, key=kind, max_attempts=2)
    audit.append("operations.asked", job, actor=user, kind=kind)
    return job


def last(kind: str) -> Job | None:
    return Job.objects.filter(kind=kind).order_by("-pk").first()


def index_state() -> dict:
    """The engine's status, and `last_check`: {"at", "missing", "stale", "ghost"} in numbers, or None."""
    done = Job.objects.filter(kind__in=[CHECK, REPAIR], state=Job.State.DONE).order_by("-finished_at").first()
    known = None
    if done:
        numbers = {name: done.result.get(name, 0) for name in ("missing", "stale", "ghost")}
        known = {"at": done.finished_at, "is_repair": done.kind == REPAIR} | numbers
    return get_backend().status() | {"last_check": known}


def links() -> dict:
    """Of the addresses of files: how many were looked at, and how many of these did not answer well."""
    bad = Q(link_status__gte=400) | Q(link_status=0)
    return Resource.objects.aggregate(checked=Count("pk", filter=Q(link_checked_at__isnull=False)), broken=Count("pk", filter=bad))


# --- the work


def _counted(found: dict) -> dict:
    return {name: len(pks) for name, pks in found.items()} | {"first": {name: pks[:NAMED] for name, pks in found.items()}}


@jobs.job_handler(CHECK)
def check(job: Job) -> dict:
    return _counted(get_backend().check())


@jobs.job_handler(REPAIR)
def repair(job: Job) -> dict:
    return _counted(get_backend().repair())


@jobs.job_handler(BUILD)
def build(job: Job) -> dict:
    return {"built": get_backend().build(on_progress=lambda done, total: jobs.progress(job, done, total))}


@jobs.job_handler(VERIFY)
def verify(job: Job) -> dict:
    def on_progress(done: int) -> None:
        if done % 5000 == 0:
            jobs.progress(job, done)

    entries, error = audit.verify(on_progress=on_progress)
    return {"entries": entries, "error": error}
