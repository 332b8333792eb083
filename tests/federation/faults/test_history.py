"""Clocks that are off, and portals whose past is not the one that others saw."""

import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import AuditEntry, Dataset
from federation import signing
from federation.models import Checkpoint, FeedState, Peer
from federation.services import decisions, peers, sync
from tests.factories import make_user
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault
from tests.federation.test_exchange import CHANGES, send


class Clock:
    """The peer's clock, so many seconds off: what it signs carries that time."""

    def __init__(self, home, monkeypatch):
        self.off = 0
        genuine, handle = signing.sign_response, home.handle

        def off_handle(method, url, headers, body):
            monkeypatch.setattr(signing, "sign_response", lambda *a, **k: genuine(*a, **k | {"now": int(time.time()) + self.off}))
            try:
                return handle(method, url, headers, body)
            finally:
                monkeypatch.setattr(signing, "sign_response", genuine)

        home.handle = off_handle


@pytest.fixture
def clock(home, monkeypatch):
    return Clock(home, monkeypatch)


@fault("F30", "I1 I4", "the peer's clock is off by 10 minutes")
@pytest.mark.parametrize("seconds", [600, -600])
def test_f30_ten_minutes_off(home, clock, seconds):
    identifier = home.put()
    clock.off = seconds

    run = pull()

    assert "(clock)" in run.error and "the time here is" in run.error
    assert cursor() == 0 and not Dataset.objects.exists()
    clock.off = 0
    assert pull().applied == 1 and Dataset.objects.get().identifier == identifier


@fault("F30", "I1 I4", "the peer's clock is off by 10 minutes")
def test_f30_a_request_from_a_wrong_clock_is_told_the_time(home, client):
    response = send(client, home, "GET", CHANGES, now=int(time.time()) - 600)

    assert response.status_code == 401 and response.json()["code"] == "clock"
    assert abs(response.json()["server_time"] - time.time()) < 5


@fault("F31", "I1 I2", "the peer's clock is off by a day: its time stamps decide nothing")
def test_f31_a_day_off(home, clock):
    identifier = home.put(title="示例：先")
    clock.off = 86_400
    assert "(clock)" in pull().error
    clock.off = 0
    tomorrow, yesterday = (timezone.now() + timedelta(days=days) for days in (1, -1))
    home.events[0] = type(home.events[0])(**home.events[0].__dict__ | {"ts": tomorrow.isoformat()})
    pull()
    home.put(identifier, rev=2, title="示例：后")
    home.events[1] = type(home.events[1])(**home.events[1].__dict__ | {"ts": yesterday.isoformat()})

    run = pull()

    assert Dataset.objects.get().title == "示例：后" and run.lag_ms >= 0


@fault("F32", "I1 I2 I4", "the peer's clock jumps back and forth between pages")
def test_f32_a_clock_that_jumps(home, clock):
    home.page_size = 2
    for _ in range(8):
        home.put()
    jumps = iter([0, -7200, 0, 3600, 0, 0, 0, 0, 0, 0, 0, 0])
    genuine = home.page
    home.page = lambda since, limit: (setattr(clock, "off", next(jumps)), genuine(since, limit))[1]

    errors = [pull().error for _ in range(3)]

    assert [bool(error) for error in errors] == [True, True, False]
    assert cursor() == 8 and AuditEntry.objects.filter(action="federation.applied").count() == 8


# --- another past


def shown() -> set:
    return set(Dataset.objects.published().values_list("identifier", "rev"))


def told(kind: str = "federation.diverged") -> bool:
    return AuditEntry.objects.filter(action=kind).exists()


@fault("F33", "I1 I5", "the peer was restored to an older backup")
def test_f33_a_peer_from_an_older_backup(home):
    first = [home.put() for _ in range(6)]
    backup = home.events[:]
    later = [home.put() for _ in range(4)]
    home.put(first[0], rev=2, title="示例：备份之后")
    pull()
    before = shown()
    home.events, home.epoch = backup, "e2"  # restore names a new history

    run = pull()

    assert run.error and Peer.objects.get(pk="cn-33").state == "diverged" and told()
    assert shown() == before and len(before) == 10, "something was deleted"
    sync.read_anew("cn-33")
    peers.accept("cn-33")
    assert pull().error == ""
    assert shown() == before, "the older backup overwrote newer records"
    assert Dataset.objects.filter(identifier__in=later).count() == 4


@fault("F34", "I1 I3 I5", "the peer was wiped and enrolled again")
def test_f34_a_peer_that_was_wiped_and_enrolled_again(home):
    for _ in range(3):
        home.put()
    pull()
    before, old_key = shown(), home.signer
    home.events, home.epoch = [], "e9"
    home.signer = signing.Ed25519Signer("cn-33:again", signing.new_key())
    assert pull().error and shown() == before, "a key that nobody vouched for was believed"

    peers.revoke("cn-33")
    code = peers.invite("cn-33", name="浙江门户")
    key = {"keyid": home.signer.keyid, "alg": "ed25519", "public_key": signing.public_text(home.signer.key)}
    peers.register({"portal": {"id": "cn-33", "base_url": home.base_url}, "key": key | {"valid_until": None}, "code": code})
    peers.accept("cn-33")
    home.put(title="示例：重建之后")
    first = pull()
    if first.error:  # the cursor of the life before stands above the new feed: a person has it read from the start
        assert Peer.objects.get(pk="cn-33").state == "diverged"
        sync.read_anew("cn-33")
        peers.accept("cn-33")
        assert pull().error == ""

    assert before < shown() and len(shown()) == 4, "what was there before the wipe was deleted or the new one is missing"
    assert not signing_key_is_valid(old_key.keyid)


def signing_key_is_valid(keyid: str) -> bool:
    from federation.models import PeerKey

    return PeerKey.objects.get(keyid=keyid).is_valid


@fault("F35", "I1 I5", "the same epoch with a lower head")
def test_f35_the_same_epoch_with_a_lower_head(home):
    for _ in range(6):
        home.put()
    pull()
    before = shown()
    home.events = home.events[:3]

    assert pull().error

    assert Peer.objects.get(pk="cn-33").state == "diverged" and told()
    assert shown() == before and sync.due_peers() == []


@fault("F35", "I1 I5", "the same epoch with a lower head")
def test_f35_an_acknowledgement_above_our_head_gives_our_feed_a_new_name(home, client):
    """The other side of it: the portal that lost its newest events learns it from its readers."""
    FeedState.objects.create(stream="decisions", audience="cn-33", epoch="a1", head=4, chain="0" * 64)
    body = json.dumps({"epoch": "a1", "seq": 9, "applied": 0, "quarantined": 0}).encode()

    answer = send(client, home, "POST", "/fed/v1/streams/decisions/ack", body).json()

    assert answer["epoch"] != "a1" and told("federation.new_epoch")


@fault("F36", "I1 I2 I5", "a number is used again for other content")
def test_f36_a_number_used_again_for_other_content(home):
    kept = [home.put() for _ in range(4)]
    pull()
    before = shown()
    home.events = home.events[:2]
    for _ in range(3):
        home.put(title="示例：另一个内容")

    assert "chain" in pull().error
    assert Peer.objects.get(pk="cn-33").state == "diverged" and shown() == before
    sync.read_anew("cn-33")
    peers.accept("cn-33")
    pull()
    assert before < shown() and Dataset.objects.filter(identifier__in=kept).count() == 4


@fault("F36", "I1 I2 I5", "a number is used again for other content")
def test_f36_a_revision_used_again_for_other_content(home):
    identifier = home.put(title="示例：甲")
    pull()
    home.put(identifier, rev=1, title="示例：乙")

    assert pull().quarantined == 1
    assert Dataset.objects.get().title == "示例：甲"


@fault("F37", "I1 I7", "the national portal restored to an older backup")
@pytest.mark.django_db
def test_f37_the_national_portal_from_an_older_backup(tmp_path):
    """Two portals with real databases in this process: the national one loses a day, the local one keeps the takedown."""
    from tests.federation.world import World

    with World(tmp_path, ("cn", "cn-33")) as world:
        national, local = world["cn"], world["cn-33"]
        early = local.lists("示例：备份之前")
        world.settle()
        national.back_up()
        late = local.lists("示例：备份之后")
        world.settle()
        national.decides(early, "takedown", "样例含电话号码")
        world.settle()
        assert local.sees(early)["admission"] == "taken_down"

        national.restore_backup()
        assert local.sees(early)["public"] is False, "the takedown was undone at home"
        world.settle(people=True)

        assert national.sees(late)["public"], "what came after the backup was not caught up"
        assert local.sees(early) == {"admission": "taken_down", "public": False}
        assert not national.sees(early)["public"], "the takedown that the home portal keeps was not taken back"
        assert world.verdict() == []


def test_a_checkpoint_is_never_moved_by_a_failure(home):
    home.put()
    pull()
    before = Checkpoint.objects.values().get()
    user = make_user(role="reviewer")
    decisions.take_down(Dataset.objects.get(), actor=user, reason="核查")
    home.epoch = "e3"

    pull()

    assert {name: value for name, value in Checkpoint.objects.values().get().items() if name in ("epoch", "seq", "chain")} == {
        name: before[name] for name in ("epoch", "seq", "chain")
    }
