"""Celery entry points. They only wake work that rows hold: unnumbered changes, peers that are due. Running one twice does no harm."""

import logging

from celery import shared_task
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)


def wake(task, *arguments) -> None:
    """Tell a worker now. A broker that is down costs the time to the next sweep, nothing else."""
    try:
        task.delay(*arguments)
    except (OSError, KombuError) as error:
        logger.warning("%s was not announced (%s); the sweep will do it", task.name, type(error).__name__)


@shared_task
def sequence() -> int:
    from federation.services import sync

    return sync.sequence_and_notify()


@shared_task
def notify_peer(portal_id: str) -> None:
    from federation.services import sync

    sync.notify(portal_id)


@shared_task
def pull_peer(portal_id: str) -> None:
    from federation.services import sync

    sync.pull_due_peer(portal_id)


@shared_task
def reconcile_stream(portal_id: str, stream: str) -> None:
    """A digest did not fit: find the records that differ and bring them in line."""
    from federation.services import reconcile

    reconcile.reconcile_logged(portal_id, stream)


@shared_task
def reconcile_all() -> None:
    """Once a night, from the rows themselves."""
    from federation.services import reconcile

    reconcile.reconcile_everything()


@shared_task
def work() -> int:
    """Pull peers that are due until none is, or the turn is over."""
    from federation.services import schedule

    return schedule.work()


@shared_task
def sweep() -> int:
    """Every few seconds: number what is committed, wake workers for peers that are due. Two clocks do no harm."""
    from federation.services import schedule, sync

    sync.sequence_and_notify()
    wanted = schedule.workers_wanted()
    for _worker in range(wanted):
        wake(work)
    return wanted


@shared_task
def retry_parked() -> int:
    """Once a day: what could not be applied may fit by now."""
    from federation.services import quarantine

    return quarantine.retry_parked()


@shared_task
def publish_reference() -> int:
    """Vocabularies and the directory; also bring in vocabularies whose day has come."""
    from federation.services import receive_reference, reference

    receive_reference.apply_again(only_due=True)
    return reference.publish_reference()


@shared_task
def find_duplicates() -> int:
    """Listings changed since the last look, against those of other portals."""
    from federation.services import duplicates, peers

    return duplicates.scan() if peers.is_national() else 0


@shared_task
def close_usage() -> int:
    """Once a night: counts of the days that are over."""
    from federation.services import usage

    return usage.close_recent_days()


@shared_task
def tidy() -> None:
    from federation.services import compaction, sync

    sync.tidy()
    compaction.compact_all()
