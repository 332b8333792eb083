"""What networks and other servers do instead of answering."""

import heapq
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import outgoing
from catalog.models import Dataset, Portal
from federation.models import Peer, SyncRun
from federation.services import schedule
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault


def waits() -> float:
    return (Peer.objects.get(pk="cn-33").next_due - timezone.now()).total_seconds()


def fails(line, fault_name: str, *, within: float = 4.0) -> SyncRun:
    """One pull under the fault: it ends in time, changes nothing, and the peer backs off."""
    line.home.put()
    line.fault, started = fault_name, time.monotonic()

    run = pull()

    assert run.error and time.monotonic() - started < within
    assert cursor() == 0 and not Dataset.objects.exists()
    assert Peer.objects.get(pk="cn-33").state == "active" and waits() > 3
    return run


def recovers(line):
    line.fault = "pass"
    assert pull().applied == len(line.home.events)
    peer = Peer.objects.get(pk="cn-33")
    assert (peer.failures, peer.last_error) == (0, "")


@fault("F20", "I4 I10", "status 500")
def test_f20_a_500(line):
    assert "500" in fails(line, "500").error
    first = waits()
    pull()
    assert waits() > first, "the wait did not grow"
    recovers(line)


@fault("F21", "I4", "an HTML page with status 200")
def test_f21_html_with_status_200(line):
    assert "answered as portal" in fails(line, "html").error
    recovers(line)


@fault("F22", "I10", "429 or 503 with Retry-After")
@pytest.mark.parametrize(("status", "seconds"), [("429", 120), ("503", 240)])
def test_f22_retry_after_is_heeded(line, status, seconds):
    fails(line, status)
    assert seconds - 2 <= waits() <= seconds + 2
    recovers(line)


@fault("F23", "I3 I6", "a redirect to another host")
def test_f23_a_redirect_is_not_followed(line):
    from tests.federation.fault_proxy import FaultProxy

    canary = FaultProxy(line.upstream)
    line.elsewhere = f"http://localhost:{canary.port}/fed/v1/streams/listings/changes?since=&limit=500"
    try:
        assert "302" in fails(line, "redirect").error
        assert canary.seen == [], "the signed request was carried to another host"
    finally:
        canary.close()
    recovers(line)


@fault("F24", "I10", "connection refused")
def test_f24_a_refused_connection(line):
    line.refuse()
    fails(line, "pass")
    line.accept()
    recovers(line)


@fault("F25", "I10", "the name does not resolve")
def test_f25_a_name_that_does_not_resolve(line):
    Peer.objects.update(base_url="http://portal-that-is-not.invalid")
    run = fails(line, "pass", within=15)
    assert "portal-that-is-not.invalid" in run.error
    Peer.objects.update(base_url=line.url)
    recovers(line)


@fault("F26", "I6 I10", "one byte a second")
def test_f26_one_byte_a_second_ends_with_the_total_time(line, monkeypatch):
    monkeypatch.setattr("federation.transport.IDLE", 10.0)
    fails(line, "drip")
    recovers(line)


@fault("F27", "I6 I10", "nothing after the headers")
def test_f27_silence_after_the_headers_ends_with_the_idle_time(line, monkeypatch):
    monkeypatch.setattr("federation.transport.TIMEOUT", 30.0)
    fails(line, "idle")
    recovers(line)


@fault("F29", "I4", "connection reset in the middle of a page")
def test_f29_a_reset_in_the_middle_of_a_page(line):
    fails(line, "reset")
    recovers(line)


@fault("F28", "I10", "a fifth of the portals black-holed (here 30 of 150; 200 of 1,000 by make bench-federation)")
@pytest.mark.django_db
def test_f28_dead_portals_do_not_starve_the_rest(monkeypatch, settings):
    """The due table under a clock of its own, with eight threads of which a dead portal costs one the connection time-out."""
    settings.PORTAL_PULL_THREADS = 8

    late = look_after_many(monkeypatch, 150, 30)

    assert late <= 3, "p95 of how late a living portal is looked at, in seconds"


def look_after_many(monkeypatch, count: int, dead_ones: int, minutes: int = 4) -> float:
    """p95 of the seconds between a living portal's due time and its pull, over the second half of the time."""
    names = [f"ind-p{number:04}" for number in range(count)]
    dead = set(names[:: count // dead_ones])
    Portal.objects.bulk_create(Portal(id=name, role="industry", name=name, short_name="行业", base_url=f"http://{name}.test") for name in names)
    clock = {"now": timezone.now()}
    monkeypatch.setattr(timezone, "now", lambda: clock["now"])
    start, spread = clock["now"], schedule.INTERVAL / count
    Peer.objects.bulk_create(Peer(portal_id=name, state="active", next_due=start + spread * place) for place, name in enumerate(names))
    threads, busy, late = [(0.0, place) for place in range(8)], {}, []
    while threads:
        moment, thread = heapq.heappop(threads)
        if moment > minutes * 60:
            continue
        clock["now"] = start + timedelta(seconds=moment)
        if ended := busy.pop(thread, None):
            if ended in dead:
                schedule.failed(Peer.objects.get(pk=ended), "TransportError: timed out")
            Peer.objects.filter(pk=ended).update(claimed_at=None)
        before = dict(schedule.due().exclude(pk__in=dead).values_list("pk", "next_due")[:1]) if moment > minutes * 30 else {}
        name = schedule.claim()
        if name is None:
            heapq.heappush(threads, (moment + 2, thread))
            continue
        if name in before:
            late.append((clock["now"] - before[name]).total_seconds())
        busy[thread] = name
        heapq.heappush(threads, (moment + (outgoing.CONNECT_TIMEOUT if name in dead else 0.03), thread))
    return sorted(late)[int(len(late) * 0.95)]
