"""Which peer is pulled next. Peers come due from a table; hints, the clock and Redis only make a worker look sooner.

A worker claims one due peer at a time, the longest waiting first, with SKIP LOCKED, so that two workers (or two clocks) never take
the same. Peers that failed last time share a few places among themselves: however many are dead, the others have the rest (I10).
"""

import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from federation.models import Checkpoint, Peer

logger = logging.getLogger(__name__)
INTERVAL = timedelta(seconds=45)  # between looks at a peer that sent no hint
BACKOFF_FIRST, BACKOFF_LAST = 5, 900  # seconds
TURN = 20  # seconds a worker goes on claiming before others of its kind, and other work, have their turn
CLAIM = timedelta(seconds=75)  # a claim of a worker that died is worth nothing after this; a live one holds the lease of a stream


def due(now=None):
    """Active peers whose time has come and who did not ask us to wait, longest waiting first. A peer that cannot be reached from here
    is never due: it pushes (services/push.py)."""
    now = now or timezone.now()
    asked_to_wait = Q(not_before__gt=now)
    found = Peer.objects.filter(state=Peer.State.ACTIVE, unreachable=False, next_due__lte=now).exclude(asked_to_wait)
    return found.order_by("next_due", "pk")


def due_peers(limit: int = 200) -> list[str]:
    return list(due().values_list("pk", flat=True)[:limit])


@transaction.atomic
def claim() -> str | None:
    """Take the peer that is due longest; it comes due again after INTERVAL, so a worker that dies costs that much."""
    now = timezone.now()
    waiting = due(now)
    if _failing_at_work(now) >= failing_places():
        waiting = waiting.filter(failures=0)
    skip = connection.features.has_select_for_update_skip_locked
    peer = waiting.select_for_update(skip_locked=skip).only("pk").first()
    if peer is None:
        return None
    Peer.objects.filter(pk=peer.pk).update(next_due=now + INTERVAL, claimed_at=now)
    return peer.pk


def failing_places() -> int:
    return max(1, settings.PORTAL_PULL_THREADS // 4)


def _failing_at_work(now) -> int:
    """How many workers are busy with a peer that failed last time: those claimed in the last minute and not answered since."""
    return Peer.objects.filter(failures__gt=0, claimed_at__gt=now - CLAIM).count()


def request_pull(portal_id: str) -> bool:
    """Make a peer due now; True when that was news, so that ten thousand hints cost one pull. Whoever sends a hint is alive: it waits
    among the sound ones again. A time it asked us to wait stands."""
    now = timezone.now()
    rows = Peer.objects.filter(pk=portal_id, state=Peer.State.ACTIVE, next_due__gt=now)
    return bool(rows.update(next_due=now, failures=0))


def work() -> int:
    """Claim and pull until nothing is due or the turn is over; how many peers were pulled. Several at once, as most of a pull is
    waiting for the peer."""
    threads = 1 if connection.in_atomic_block else settings.PORTAL_PULL_THREADS
    until = time.monotonic() + TURN
    if threads == 1:
        return _work(until)
    with ThreadPoolExecutor(threads, thread_name_prefix="pull") as pool:
        return sum(pool.map(_work_and_close, [until] * threads))


def _work_and_close(until: float) -> int:
    try:
        return _work(until)
    finally:
        connection.close()


def _work(until: float) -> int:
    from federation.services import sync

    count = 0
    while time.monotonic() < until and (portal_id := claim()):
        try:
            sync.pull_peer(portal_id)
        except Exception:  # one peer's trouble is not the next one's
            logger.exception("Pull from %s", portal_id)
            failed(Peer.objects.get(pk=portal_id), "internal error")
        finally:
            Peer.objects.filter(pk=portal_id).update(claimed_at=None)
        count += 1
    return count


def workers_wanted() -> int:
    """How many workers to wake: one for each due peer, half of them at most, and none for those at it already."""
    busy = Checkpoint.objects.filter(lease_until__gt=timezone.now()).values("peer").distinct().count()
    most = max(1, settings.PORTAL_TASK_WORKERS // 2) - busy // settings.PORTAL_PULL_THREADS
    return max(0, min(len(due_peers(most)) if most > 0 else 0, most))


def succeeded(peer: Peer, *, more: bool = False) -> None:
    """The peer answered. With `more` of its feed to read it is due again at once."""
    now = timezone.now()
    changes = {"last_contact": now, "failures": 0, "last_error": "", "not_before": None}
    Peer.objects.filter(pk=peer.pk).update(**changes | ({"next_due": now} if more else {}))


def failed(peer: Peer, error: str, retry_after: int = 0) -> None:
    """Back off from 5 s to 15 min, with jitter, for ever; never less than the peer asked for, hints or not."""
    peer.refresh_from_db(fields=["failures"])
    now = timezone.now()
    wait = min(BACKOFF_FIRST * 2 ** min(peer.failures, 10), BACKOFF_LAST) * random.uniform(0.8, 1.2)
    changes = {"failures": F("failures") + 1, "last_error": error[:500], "next_due": now + timedelta(seconds=max(wait, retry_after))}
    changes["not_before"] = now + timedelta(seconds=retry_after) if retry_after else None
    Peer.objects.filter(pk=peer.pk).update(**changes)
    logger.warning("Pull from %s failed: %s", peer.pk, error)
