"""Celery entry points. The work and its state are in catalog/jobs.py; running one twice does no harm."""

from celery import shared_task

from catalog import jobs
from catalog.search import feeding
from catalog.services import operations, review  # noqa: F401 registers the handlers of operations


@shared_task
def run_job(job_pk: int) -> bool:
    return jobs.run(job_pk)


@shared_task
def sweep_jobs() -> int:
    return jobs.sweep()


@shared_task
def prune_jobs() -> int:
    return jobs.prune()


@shared_task
def end_public_notices() -> int:
    return review.end_public_notices()


@shared_task
def feed_search() -> bool:
    return feeding.catch_up()
