"""Who is pulled next: claims that two workers cannot share, dead peers that cost the others nothing, back-off, Retry-After. I10."""

import threading
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.db import connection
from django.utils import timezone

from federation.models import Checkpoint, Peer
from federation.services import leases, schedule, sync
from federation.services.client import PeerError
from federation.transport import Answer
from tests.federation.fake_portal import FakePortal, Network

pytestmark = pytest.mark.django_db


@pytest.fixture
def homes():
    portals = [FakePortal(f"cn-{number}") for number in (31, 32, 33, 34, 35, 36)]
    network = Network(*portals)
    yield portals
    network.close()


def due_since(portal, seconds, **changes):
    Peer.objects.filter(pk=portal.id).update(next_due=timezone.now() - timedelta(seconds=seconds), **changes)


def test_the_longest_waiting_is_claimed_first_and_once(homes):
    for place, portal in enumerate(homes):
        due_since(portal, 100 - place)

    assert [schedule.claim() for _ in range(7)] == [portal.id for portal in homes] + [None]
    assert Peer.objects.filter(next_due__lte=timezone.now()).count() == 0


def test_dead_peers_share_a_few_places_and_the_others_go_on(homes, settings):
    settings.PORTAL_PULL_THREADS = 8
    for portal in homes[:4]:
        due_since(portal, 500, failures=3)
    for portal in homes[4:]:
        due_since(portal, 5)

    assert [schedule.claim() for _ in range(5)] == [homes[0].id, homes[1].id, homes[4].id, homes[5].id, None]
    Peer.objects.filter(pk=homes[0].id).update(claimed_at=None)
    assert schedule.claim() == homes[2].id
    Peer.objects.update(claimed_at=timezone.now() - schedule.CLAIM * 2)  # a worker that died
    assert schedule.claim() == homes[3].id


def test_a_turn_pulls_everybody_who_is_due_whatever_one_of_them_does(homes, monkeypatch):
    homes[0].down = True
    for portal in homes[1:]:
        portal.put()
    genuine = sync.pull_peer
    monkeypatch.setattr(sync, "pull_peer", lambda pk: 1 / 0 if pk == homes[1].id else genuine(pk))

    assert schedule.work() == 6

    states = {peer.pk: peer.failures for peer in Peer.objects.all()}
    assert [states[portal.id] for portal in homes] == [1, 1, 0, 0, 0, 0]
    assert Checkpoint.objects.filter(seq=1).count() == 4 and not Peer.objects.exclude(claimed_at=None).exists()
    assert schedule.due_peers() == []


@pytest.mark.parametrize("said", ["120", "date"])
def test_a_time_that_the_peer_asks_for_is_waited_out_whatever_hints_come(homes, said):
    home = homes[0]
    text = format_datetime(timezone.now() + timedelta(seconds=120), usegmt=False) if said == "date" else said
    home.handle = lambda *request: Answer(503, {"retry-after": text}, b"")

    sync.pull_peer(home.id)

    left = (Peer.objects.get(pk=home.id).next_due - timezone.now()).total_seconds()
    assert 110 < left < 130
    assert sync.request_pull(home.id)
    assert home.id not in schedule.due_peers()
    Peer.objects.filter(pk=home.id).update(not_before=timezone.now())
    assert home.id in schedule.due_peers()


@pytest.mark.parametrize("text", ["", "-5", "soon", "99999999999", "１２", "Mon, 99 Foo 2026"])
def test_a_retry_after_that_is_none_counts_at_most_an_hour(homes, text):
    homes[0].handle = lambda *request: Answer(429, {"retry-after": text}, b"")

    sync.pull_peer(homes[0].id)

    assert (Peer.objects.get(pk=homes[0].id).next_due - timezone.now()).total_seconds() <= 3600


def test_a_dead_peer_is_asked_once_and_not_once_a_stream(homes):
    home = homes[0]
    Checkpoint.objects.create(peer=home.peer, stream="usage")
    home.down = True

    runs = sync.pull_peer(home.id)

    assert len(runs) == 1 == len(home.requests)
    assert Peer.objects.get(pk=home.id).failures == 1


def test_one_stream_that_fails_does_not_hide_behind_another(homes, monkeypatch):
    home, pull_page = homes[0], sync._pull_page
    Checkpoint.objects.create(peer=home.peer, stream="usage")
    home.put()

    def broken(peer, checkpoint, run):
        if checkpoint.stream == "usage":
            raise PeerError("500", status=500)  # it answers, and other streams may go well
        return pull_page(peer, checkpoint, run)

    monkeypatch.setattr(sync, "_pull_page", broken)

    runs = sync.pull_peer(home.id)

    peer = Peer.objects.get(pk=home.id)
    assert [bool(run.error) for run in runs] == [False, True]
    assert peer.failures == 1 and peer.last_error and peer.last_contact


def test_one_stream_of_a_peer_at_a_time(homes):
    home = homes[0]
    Checkpoint.objects.create(peer=home.peer, stream="usage")

    held = leases.take(home.peer, "usage")

    assert held and leases.take(home.peer, "listings") is None
    leases.release(held)
    assert leases.take(home.peer, "listings")


def test_pages_get_smaller_when_they_fail_and_larger_when_they_come_quickly(homes):
    home = homes[0]
    home.down = True
    for _ in range(6):
        sync.pull_peer(home.id)
    assert Checkpoint.objects.get(peer=home.peer).page_size == sync.SMALLEST_PAGE

    home.down = False
    for _ in range(200):
        home.put()
    sync.pull_peer(home.id)

    asked = [int(url.rsplit("=", 1)[1]) for _method, url in home.requests if "limit" in url]
    assert asked[-3:] == [25, 50, 100] or asked[-4:] == [25, 50, 100, 200]
    assert Checkpoint.objects.get(peer=home.peer).seq == 200


def test_a_feed_longer_than_a_turn_is_due_again_at_once(homes, monkeypatch):
    monkeypatch.setattr(sync, "PAGES_PER_PULL", 2)
    home = homes[0]
    home.page_size = 5
    for _ in range(30):
        home.put()
    Peer.objects.exclude(pk=home.id).update(state="suspended")

    assert schedule.work() >= 3
    assert Checkpoint.objects.get(peer=home.peer).seq == 30


def test_workers_are_woken_for_what_is_due_and_never_more_than_half(homes, settings):
    settings.PORTAL_TASK_WORKERS, settings.PORTAL_PULL_THREADS = 4, 1
    assert schedule.workers_wanted() == 2
    Checkpoint.objects.filter(peer=homes[0].peer).update(lease_until=timezone.now() + leases.LEASE)
    assert schedule.workers_wanted() == 1
    Peer.objects.update(next_due=timezone.now() + schedule.INTERVAL)
    assert schedule.workers_wanted() == 0


def test_a_peer_that_can_only_push_is_never_due(homes):
    Peer.objects.filter(pk=homes[0].id).update(unreachable=True)

    assert homes[0].id not in schedule.due_peers() and len(schedule.due_peers()) == 5


@pytest.mark.services("DATABASE_URL")
@pytest.mark.django_db(transaction=True)
def test_workers_on_postgresql_skip_what_another_is_claiming():
    assert connection.vendor == "postgresql"
    for number in range(31, 51):
        FakePortal(f"cn-{number}")
    claimed: list[str] = []

    def work():
        try:
            while portal_id := schedule.claim():
                claimed.append(portal_id)
                time.sleep(0.002)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 20
