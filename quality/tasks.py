"""Handlers of the durable jobs; running one twice does no harm."""

from functools import partial

from celery import shared_task

from catalog.jobs import enqueue, job_handler, progress
from catalog.models import Dataset, Job, Sample
from quality.models import Evaluation
from quality.services import alerts, editing, evaluation, expiry, samples, triggers, trying

PROFILE, EVALUATE, EVALUATE_MANY = "quality.profile_sample", "quality.evaluate", "quality.evaluate_many"
DRY_RUN, EVALUATE_ALL = trying.DRY_RUN, editing.EVALUATE_ALL
TRIES = 2  # of a reading process that breaks


@job_handler(PROFILE)
def profile_sample(job: Job) -> dict:
    sample = Sample.objects.select_related("dataset").filter(pk=job.payload["sample"]).first()
    if sample is None or not sample.file or sample.state != Sample.State.PENDING:
        return {"skipped": True}
    profile = samples.profile_sample(sample, progress=partial(progress, job), again=job.attempts < TRIES)
    if not profile:
        return {"failed": True}
    sample.refresh_from_db()
    dataset = sample.dataset
    if sample.state == Sample.State.BLOCKED and dataset.status in evaluation.EVALUATED:  # a blocked sample leaves the document as it was
        triggers.ask(dataset, "sample", at_once=True)
    return {"rows": profile.get("rows"), "readable": profile["readable"]}


@job_handler(EVALUATE)
def evaluate(job: Job) -> dict:
    dataset = Dataset.objects.select_related("organization", "current_version").filter(pk=job.payload["dataset"]).first()
    if dataset is None or dataset.is_remote or dataset.status not in evaluation.EVALUATED:
        return {"skipped": True}
    reasons = triggers.open_reasons(dataset)
    if evaluation.is_current(dataset) and not job.payload.get("again") and not set(reasons) - set(triggers.AUTOMATIC):
        return {"skipped": True}
    try:
        run = evaluation.evaluate_dataset(dataset, goal=goal_of(reasons))
    except Exception as error:
        if job.attempts >= job.max_attempts:
            alerts.tell_failed(dataset, f"{type(error).__name__}: {error}")
        raise
    return {"evaluation": str(run.uid), "grade": run.final_grade, "score": str(run.raw_score)}


def goal_of(reasons: list[str]) -> str:
    return Evaluation.Goal.PERIODIC if {"expiry", "spot_check"} & set(reasons) else Evaluation.Goal.LISTING


@job_handler(DRY_RUN)
def dry_run(job: Job) -> dict:
    return trying.dry_run(job.payload["scheme"], tell=lambda done, of: progress(job, done, of))


@job_handler(EVALUATE_ALL)
def evaluate_all(job: Job) -> dict:
    """After a new scheme: everything that is evaluated here, in batches."""
    pks = list(evaluation.stale().order_by("id").values_list("pk", flat=True))
    done = failed = 0
    for start in range(0, len(pks), evaluation.BATCH):
        progress(job, start, len(pks))
        runs, errors = evaluation.evaluate_datasets(pks[start : start + evaluation.BATCH])
        done, failed = done + len(runs), failed + len(errors)
    return {"evaluated": done, "failed": failed}


@shared_task
def sweep_expired() -> int:
    return expiry.sweep()


@shared_task
def activate_due_schemes() -> int:
    return editing.activate_due()


@job_handler(EVALUATE_MANY)
def evaluate_many(job: Job) -> dict:
    """What a batch of changes left without a run, in short transactions; one that fails gets a job of its own, which tries again."""
    pks, done = job.payload["datasets"], 0
    for start in range(0, len(pks), evaluation.BATCH):
        progress(job, start, len(pks))
        batch = evaluation.stale().filter(pk__in=pks[start : start + evaluation.BATCH]).values_list("pk", flat=True)
        runs, errors = evaluation.evaluate_datasets(list(batch))
        done += len(runs)
        for pk in errors:
            enqueue(EVALUATE, {"dataset": pk}, key=f"{EVALUATE}:{pk}")
    return {"evaluated": done}


@shared_task
def draw_spot_checks() -> int:
    """Once a day: what the rule asks of the quarter that has ended and is not drawn yet."""
    from quality.services import reruns

    return len(reruns.draw_spot_checks(reruns.previous_quarter()))


@shared_task
def warn_overdue() -> int:
    from quality.services import cases

    return cases.warn_overdue()
