"""Pages that come in the wrong order, cut, or with a trailer that is not theirs; and the sequence under racing writers."""

import json

import orjson
import pytest

from catalog.models import AuditEntry, Dataset
from federation import protocol, signing
from federation.models import Peer
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault


@fault("F11", "I1 I4", "8 writers with random commit delays, poll every 5 ms (PostgreSQL: 10^4)")
@pytest.mark.services("DATABASE_URL")
@pytest.mark.django_db(transaction=True)
def test_f11_writers_that_commit_in_any_order_lose_nothing():
    from tests.federation.dense import Run

    run = Run(writers=8, each=1250, delay=0.02, batch=5)
    run.run()

    assert (run.lost, run.holes) == (0, 0)


@fault("F11", "I1 I4", "8 writers with random commit delays, poll every 5 ms (PostgreSQL: 10^4)")
@pytest.mark.processes
def test_f11_the_same_with_the_one_writer_of_sqlite(tmp_path):
    from tests.journeys.portals import PortalProcess

    portal = PortalProcess("cn", "national", "国家门户", "国家", tmp_path, PORTAL_LOG_LEVEL="WARNING")

    out = portal.manage("shell", "-v0", "-c", "from tests.federation.dense import Run; Run(writers=8, each=15).run()")

    assert "lost 0, holes 0" in out


def state() -> list[tuple]:
    return list(Dataset.objects.order_by("identifier").values_list("identifier", "rev", "title", "status", "admission"))


class Pages:
    """Serves what the test chooses instead of the page asked for, each with a good signature for the very request."""

    def __init__(self, home, choose):
        self.home, self.choose, self.genuine = home, choose, home.page
        home.page = self.page

    def page(self, since, limit):
        return self.choose(self.genuine, since, limit)


@fault("F12", "I2 I4", "a page comes twice")
def test_f12_a_page_that_comes_twice(home):
    home.page_size = 5
    for _ in range(15):
        home.put()
    served = []

    def twice(page, since, limit):
        served.append(page(since, limit))
        return served[0] if len(served) == 2 else served[-1]

    Pages(home, twice)
    run = pull()

    assert "this one at 1" in run.error and cursor() == 5, "the second copy was taken for the next page"
    assert pull().error == "" and cursor() == 15
    assert Dataset.objects.count() == 15 == AuditEntry.objects.filter(action="federation.applied").count()


@fault("F13", "I2 I4", "two pages swapped")
def test_f13_two_pages_that_are_swapped(home):
    home.page_size = 5
    for _ in range(10):
        home.put()

    swapped = Pages(home, lambda page, since, limit: page("e1:5" if since in ("", "e1:0") else "e1:0", limit))
    assert pull().error and cursor() == 0 and not Dataset.objects.exists()

    home.page = swapped.genuine
    assert pull().error == "" and cursor() == 10
    assert Dataset.objects.count() == 10


@fault("F14", "I1 I4", "a page is skipped, with the header made to fit")
def test_f14_a_skipped_page_shows_in_the_chain(home):
    home.page_size = 5
    for _ in range(5):
        home.put()
    pull()
    hidden = [home.put() for _ in range(5)]
    for _ in range(5):
        home.put()
    kept = home.events[:]

    def renumbered(page, since, limit):
        events = [type(event)(**event.__dict__ | {"seq": number}) for number, event in enumerate(kept[10:], 6)]
        chain = protocol.GENESIS
        for event in kept[:10]:
            chain = protocol.next_chain(chain, event)
        made = protocol.Page("cn-33", "listings", "e1", 6, 10, 15, 1, chain, events)
        return protocol.encode_page(made, lambda data: signing.attest(home.signer, data))

    Pages(home, renumbered)
    run = pull()

    assert "chain" in run.error and cursor() == 5
    assert sum("changes" in url for _method, url in home.requests) >= 3, "it was not asked for again before the stop"
    assert not Dataset.objects.filter(identifier__in=hidden).exists() and Dataset.objects.count() == 5
    assert Peer.objects.get(pk="cn-33").state == "diverged"


@fault("F15", "I2 I7", "an old page is replayed")
def test_f15_an_old_page_that_is_replayed(home):
    first = home.put(title="示例：第一版")
    old = home.page("", 500)
    pull()
    home.put(first, rev=2, title="示例：第二版")
    home.delete(first, rev=3)
    pull()
    before = state()

    Pages(home, lambda page, since, limit: old)
    assert pull().error

    assert state() == before and cursor() == 3


# --- cut and altered


def between(body: bytes, text: str) -> int:
    """A place inside the UTF-8 of a character, or right after the last event."""
    return body.index(text.encode()) + 1


CUTS = {
    "in a line": lambda body: len(body) // 2,
    "before the trailer": lambda body: body[:-1].rindex(b"\n") + 1,
    "before the last line end": lambda body: len(body) - 1,
    "in a character": lambda body: between(body, "路"),
    "in the first line": lambda body: 20,
    "to nothing": lambda body: 0,
}


def untouched():
    assert cursor() == 0 and not Dataset.objects.exists()
    assert Peer.objects.get(pk="cn-33").state == "active"


@fault("F16", "I4 I1", "the body cut: in a line, before the trailer, in gzip, in UTF-8")
@pytest.mark.parametrize("cut", CUTS)
def test_f16_a_body_that_its_sender_cut(home, cut):
    for _ in range(3):
        home.put()
    home.spoil = lambda body: body[: CUTS[cut](body)]

    assert pull().error
    untouched()
    home.spoil = lambda body: body
    assert pull().applied == 3


@fault("F16", "I4 I1", "the body cut: in a line, before the trailer, in gzip, in UTF-8")
@pytest.mark.parametrize("cut", ["in gzip", "before the last byte of gzip", *CUTS])
def test_f16_a_body_that_the_network_cut(line, cut):
    home = line.home
    for _ in range(3):
        home.put()
    line.fault = "cut"
    if cut in CUTS:  # what the network cuts is then not packed
        home.pack, home.rename = (lambda body: body), lambda headers: {k: v for k, v in headers.items() if k != "content-encoding"}
        line.where = CUTS[cut](home.page("", 500)) or 1
    else:
        line.where = 300 if cut == "in gzip" else len(protocol.compress(home.page("", 500))) - 1

    assert pull().error
    untouched()
    line.fault = "pass"
    assert pull().applied == 3


def with_trailer(home, change):
    """A page whose trailer says something else, signed by the portal itself."""

    def spoil(body):
        lines = body[:-1].split(b"\n")
        trailer = orjson.loads(lines[-1])
        trailer.pop("att")
        trailer = change(trailer)
        trailer["att"] = signing.attest(home.signer, protocol.canonical(trailer))
        return b"\n".join([*lines[:-1], orjson.dumps(trailer)]) + b"\n"

    home.spoil = spoil


@fault("F17", "I4", "the trailer counts wrongly")
@pytest.mark.parametrize("count", [0, 2, 4, -1, "3", None, 3.5])
def test_f17_a_wrong_count(home, count):
    for _ in range(3):
        home.put()
    with_trailer(home, lambda trailer: trailer | {"count": count})

    assert pull().error
    untouched()


@fault("F18", "I4", "the trailer names another sha256")
def test_f18_a_wrong_sha256(home):
    for _ in range(3):
        home.put()
    with_trailer(home, lambda trailer: trailer | {"sha256": "0" * 64})

    assert "sha256" in pull().error
    untouched()


@fault("F18", "I4", "the trailer names another sha256")
def test_f18_a_byte_changed_under_a_good_trailer(home):
    for _ in range(3):
        home.put()
    home.spoil = lambda body: body.replace("路面".encode(), "桥面".encode(), 1)

    assert "sha256" in pull().error
    untouched()


@fault("F19", "I4", "the trailer of another page")
def test_f19_the_trailer_of_another_page(home):
    home.page_size = 3
    for _ in range(6):
        home.put()
    other = home.page("e1:3", 500)[:-1].split(b"\n")[-1]
    home.spoil = lambda body: b"\n".join([*body[:-1].split(b"\n")[:-1], other]) + b"\n"

    assert pull().error
    untouched()


@fault("F19", "I4", "the trailer of another page")
def test_f19_a_page_of_another_stream_or_portal(home):
    home.put()
    genuine, stream = home.page, home.stream

    def of_another(since, limit):
        home.stream = "decisions"
        try:
            return genuine(since, limit)
        finally:
            home.stream = stream

    home.page = of_another
    run = pull()

    assert "asked cn-33 for listings" in run.error and cursor() == 0
    home.page = genuine
    assert json.loads(home.page("", 500).split(b"\n")[0])["stream"] == "listings" and pull().applied == 1
