"""kill -9 of the puller between any two of its steps, and of the sequencer around its commit."""

import os

import pytest

from federation import signing
from tests.federation.fake_portal import FakePortal
from tests.federation.faults.hand import Hand
from tests.federation.faults.marks import fault
from tests.federation.faults.served import served

pytestmark = pytest.mark.processes
BATCH = 8


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A national portal whose worker is to be killed, and the portal it reads; one for all kills, as they only add up."""
    home = FakePortal.without_database()
    with served(home) as (host, port):
        home.base_url = f"http://{host}:{port}"
        hand = Hand(tmp_path_factory.mktemp("reader"))
        hand.does("prepare_reader", home.base_url, home.signer.keyid, signing.public_text(home.signer.key))
        yield hand, home
        hand.close()


def kill_and_go_on(reader, die_at: str, *, committed: bool):
    """`committed`: the page that was in work counts. Either way the state is whole, and the next worker finishes without repeating."""
    hand, home = reader
    before = hand.does("report")
    for _ in range(BATCH):
        home.put()

    hand.does("pull", die_at=die_at)
    killed = hand.does("report")
    lease = hand.does("lease_left")
    hand.does("let_lease_pass")
    errors = hand.does("pull")
    finished = hand.does("report")

    assert len(set(killed.values())) == 1, f"half a page: {killed}"
    assert killed["cursor"] == before["cursor"] + (BATCH if committed else 0)
    assert lease <= 30, "another worker would have to wait for longer"
    assert errors == []
    assert set(finished.values()) == {len(home.events)}


@fault("F1", "I1 I2 I4", "kill -9 the puller after its lease")
def test_f01_killed_after_the_lease(reader):
    kill_and_go_on(reader, "leased", committed=False)


@fault("F2", "I1 I2 I4", "kill -9 after the headers of the answer")
def test_f02_killed_after_the_headers(reader):
    kill_and_go_on(reader, "headers", committed=False)


@fault("F3", "I1 I2 I4", "kill -9 in the middle of the body")
def test_f03_killed_in_the_middle_of_the_body(reader):
    kill_and_go_on(reader, "mid-body", committed=False)


@fault("F4", "I1 I2 I4", "kill -9 after the page was parsed")
def test_f04_killed_after_the_page_was_parsed(reader):
    kill_and_go_on(reader, "parsed", committed=False)


@fault("F5", "I1 I2 I4 I9", "kill -9 after the upsert")
def test_f05_killed_after_the_upsert(reader):
    kill_and_go_on(reader, "applied", committed=False)


@fault("F6", "I1 I2 I4 I9", "kill -9 after the outbox rows of the decisions")
def test_f06_killed_after_the_outbox_rows(reader):
    kill_and_go_on(reader, "outbox", committed=False)


@fault("F7", "I1 I2 I4 I9", "kill -9 before the commit")
def test_f07_killed_before_the_commit(reader):
    kill_and_go_on(reader, "before_commit", committed=False)


@fault("F8", "I1 I2 I4 I9", "kill -9 after the commit, before the acknowledgement")
def test_f08_killed_after_the_commit_before_the_acknowledgement(reader):
    kill_and_go_on(reader, "committed", committed=True)


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    hand = Hand(tmp_path_factory.mktemp("writer"))
    yield hand
    hand.close()


def numbers_are_dense(hand, total: int):
    feed = hand.does("feed")
    assert [seq for seq, _id in feed] == list(range(1, total + 1))
    assert len({identifier for _seq, identifier in feed}) == total, "an event was lost or numbered twice"


@fault("F9", "I1 I2", "kill -9 the sequencer before its numbers commit")
def test_f09_the_sequencer_killed_before_its_numbers_commit(writer):
    writer.does("commit", 30)
    before = len(writer.does("feed"))
    total = before + 30

    writer.does("number", die_at="inside")

    assert len(writer.does("feed")) == before, "numbers of a rolled back transaction were served"
    assert writer.does("number") == total
    numbers_are_dense(writer, total)


@fault("F10", "I1 I2", "kill -9 the sequencer after its numbers committed")
def test_f10_the_sequencer_killed_after_its_numbers_committed(writer):
    before = len(writer.does("feed"))
    writer.does("commit", 600)  # more than one batch

    writer.does("number", die_at="after")

    first = writer.does("feed")
    assert len(first) == before + 500
    assert writer.does("number") == before + 600
    assert writer.does("feed")[: len(first)] == first, "a number was given anew"
    numbers_are_dense(writer, before + 600)


@fault("F7", "I1 I2 I4 I9", "kill -9 before the commit")
@pytest.mark.services("DATABASE_URL")
@pytest.mark.django_db(transaction=True)
def test_f07_killed_before_the_commit_on_postgresql(tmp_path, settings):
    from django.db import connection

    address = connection.settings_dict
    url = f"postgresql://{address['USER']}@{address['HOST']}:{address['PORT']}/{address['NAME']}"
    home = FakePortal.without_database()
    with served(home) as (host, port):
        home.base_url = f"http://{host}:{port}"
        hand = Hand(tmp_path, DATABASE_URL=url, PGPASSWORD=os.environ.get("PGPASSWORD", ""))
        hand.does("prepare_reader", home.base_url, home.signer.keyid, signing.public_text(home.signer.key))
        try:
            for step, committed in (("applied", False), ("before_commit", False), ("committed", True)):
                kill_and_go_on((hand, home), step, committed=committed)
        finally:
            hand.close()
