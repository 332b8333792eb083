"""One worker per stream of a peer: a lease that is held while the worker lives, and a token that fences off whoever lost it."""

import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from federation.models import Checkpoint, Peer

LEASE = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker took this stream over; its commit counts, ours does not."""


@transaction.atomic
def take(peer: Peer, stream: str) -> Checkpoint | None:
    """The stream's checkpoint under a new token; None while any stream of this peer is being read: one request in flight a peer."""
    Peer.objects.select_for_update().only("pk").get(pk=peer.pk)  # two workers at two streams of one peer
    now, token = timezone.now(), uuid.uuid4()
    if Checkpoint.objects.filter(peer=peer, lease_until__gte=now).exists():
        return None
    if not Checkpoint.objects.filter(peer=peer, stream=stream).update(fencing_token=token, lease_until=now + LEASE):
        return None
    return Checkpoint.objects.get(peer=peer, stream=stream)


def held(checkpoint: Checkpoint):
    """The checkpoint as a query, empty once another worker has it."""
    return Checkpoint.objects.filter(pk=checkpoint.pk, fencing_token=checkpoint.fencing_token)


def renew(checkpoint: Checkpoint) -> None:
    """Hold the lease, unless somebody else has it by now."""
    if not held(checkpoint).update(lease_until=timezone.now() + LEASE):
        raise LeaseLost(checkpoint.stream)


def release(checkpoint: Checkpoint) -> None:
    held(checkpoint).update(lease_until=None)


@contextmanager
def kept(checkpoint: Checkpoint):
    """Hold the lease while a page comes slowly: a fetch may last twice as long as a lease, and a dead worker must not hold one."""
    done = threading.Event()

    def beat():
        try:
            while not done.wait(LEASE.total_seconds() / 3):
                renew(checkpoint)
        except (LeaseLost, DatabaseError):
            return  # the commit finds out
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
