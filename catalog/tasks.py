"""Celery entry points. The work and its state are in catalog/jobs.py; running one twice does no harm."""

from celery import shared_task

from catalog import jobs
from catalog.search import feeding
from catalog.services import matching, operations, popular, review, saved_searches  # noqa: F401 registers the handlers of operations


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
def tell_saved_searches() -> bool:
    return saved_searches.ask()


@shared_task
def match_demands() -> bool:
    return matching.ask_all()


@shared_task
def tidy_searches() -> int:
    return popular.prune()


@shared_task
def feed_search() -> bool:
    return feeding.catch_up()
