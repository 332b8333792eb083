"""Handlers of the durable jobs; running one twice does no harm."""

from celery import shared_task

from catalog.jobs import enqueue, job_handler, progress
from catalog.models import Dataset, Job, Sample
from quality.services import evaluation, samples

PROFILE, EVALUATE, EVALUATE_MANY = "quality.profile_sample", "quality.evaluate", "quality.evaluate_many"


@job_handler(PROFILE)
def profile_sample(job: Job) -> dict:
    sample = Sample.objects.select_related("dataset").filter(pk=job.payload["sample"]).first()
    if sample is None or not sample.file or sample.state != Sample.State.PENDING:
        return {"skipped": True}
    profile = samples.profile_sample(sample)
    sample.refresh_from_db()
    dataset = sample.dataset
    if sample.state == Sample.State.BLOCKED and dataset.status in evaluation.EVALUATED:  # a blocked sample leaves the document as it was
        enqueue(EVALUATE, {"dataset": dataset.pk, "again": True}, key=f"{EVALUATE}:{dataset.pk}")
    return {"rows": profile.get("rows"), "readable": profile["readable"]}


@job_handler(EVALUATE)
def evaluate(job: Job) -> dict:
    dataset = Dataset.objects.select_related("organization", "current_version").filter(pk=job.payload["dataset"]).first()
    if dataset is None or dataset.is_remote or dataset.status not in evaluation.EVALUATED:
        return {"skipped": True}
    if evaluation.is_current(dataset) and not job.payload.get("again"):
        return {"skipped": True}
    run = evaluation.evaluate_dataset(dataset)
    return {"evaluation": str(run.uid), "grade": run.final_grade, "score": str(run.raw_score)}


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
