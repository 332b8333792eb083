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
def sweep() -> int:
    """Every few seconds: number what is committed, wake a pull for each peer that is due."""
    from federation.services import sync

    sync.sequence_and_notify()
    due = sync.due_peers()
    for portal_id in due:
        wake(pull_peer, portal_id)
    return len(due)


@shared_task
def tidy() -> None:
    from federation.services import sync

    sync.tidy()
