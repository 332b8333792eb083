"""Full disks, and a broker that forgets or is away."""

import errno

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from kombu.exceptions import OperationalError as BrokerDown

from catalog.models import AuditEntry, Dataset
from federation import tasks
from federation.models import Change, Peer
from federation.services import sync
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault


@fault("F55", "I1 I4", "the disk of the database is full")
@pytest.mark.processes
def test_f55_a_database_that_cannot_grow(tmp_path):
    """SQLite with no page left: the pull ends with a clean error and nothing half-written; with room it goes on."""
    from federation import signing
    from tests.federation.fake_portal import FakePortal
    from tests.federation.faults.hand import Hand
    from tests.federation.faults.served import served

    home = FakePortal.without_database()
    with served(home) as (host, port):
        home.base_url = f"http://{host}:{port}"
        hand = Hand(tmp_path)
        try:
            hand.does("prepare_reader", home.base_url, home.signer.keyid, signing.public_text(home.signer.key))
            for _ in range(60):
                home.put(description="说明" * 2000)
            before = hand.does("report")
            errors = hand.does("pull_with_full_disk")
            full = hand.does("report")
            assert errors and "full" in errors[0]
            assert full == before
            hand.does("let_lease_pass")
            assert hand.does("pull") == []
            assert set(hand.does("report").values()) == {60}
        finally:
            hand.close()


@fault("F55", "I1 I4", "the disk of the database is full")
def test_f55_the_error_of_a_full_database_is_told_and_the_page_comes_again(home, monkeypatch):
    home.put()
    monkeypatch.setattr(sync, "step", lambda name: name == "applied" and full())

    run = pull()

    assert "No space left" in run.error and cursor() == 0 and not Dataset.objects.exists()
    monkeypatch.setattr(sync, "step", lambda name: None)
    assert pull().applied == 1


def full():
    raise OperationalError('could not extend file "base/1": No space left on device')


@fault("F56", "I1", "the disk of the files is full")
def test_f56_files_that_cannot_be_stored(home, client, settings, monkeypatch):
    """Files never travel in the feed: an exchange goes on; who uploads is told, and no half file or row stays."""
    from django.core.files.storage import storages

    from tests.factories import make_dataset, make_member

    storage = storages["samples"]
    monkeypatch.setattr(type(storage), "_save", lambda self, name, content: no_space())
    home.put()
    assert pull().applied == 1

    dataset = make_dataset()
    client.force_login(make_member(dataset.organization))
    from catalog.models import Sample

    try:
        response = client.post(f"/register/{dataset.uid}/files/", {"sample-file": ContentFile(b"a,b\n1,2\n", name="a.csv"), "action": "upload"})
        assert response.status_code < 500 or response.status_code == 507
    except OSError as error:
        assert error.errno == errno.ENOSPC
    assert not Sample.objects.filter(dataset=dataset).exists()


def no_space():
    raise OSError(errno.ENOSPC, "No space left on device")


@fault("F57", "I1 I9", "the disk of the log is full")
def test_f57_a_log_that_cannot_be_written(home, monkeypatch, capsys):
    import logging

    class Full(logging.StreamHandler):
        def emit(self, record):
            try:
                no_space()
            except OSError:
                self.handleError(record)  # as handlers of the standard library do

    handler = Full()
    logging.getLogger("federation").addHandler(handler)
    try:
        home.put(modalities=["hyperspectral"])
        home.put()
        run = pull()
        home.down = True
        pull()
    finally:
        logging.getLogger("federation").removeHandler(handler)

    assert (run.applied, run.quarantined) == (1, 1)
    assert AuditEntry.objects.filter(action="federation.applied").count() == 1


def away(*arguments, **options):
    raise BrokerDown("connection refused")


@fault("F62", "I1 I10", "Redis is down for 10 minutes")
def test_f62_without_a_broker_the_sweep_does_the_work(home, monkeypatch):
    """A commit is not refused because nobody can be woken; the sweep numbers and pulls once it runs again."""
    for task in (tasks.sequence, tasks.notify_peer, tasks.pull_peer, tasks.work):
        monkeypatch.setattr(task, "delay", away)
    home.put()
    tasks.sweep()

    assert Change.objects.filter(seq=None).count() == 0
    assert sync.due_peers() == ["cn-33"], "what is due was forgotten"
    monkeypatch.undo()
    tasks.work()
    assert Dataset.objects.count() == 1


@fault("F61", "I1 I10", "Redis is flushed")
@pytest.mark.services("REDIS_URL")
def test_f61_what_redis_forgets_rows_remember(home):
    """Everything in the broker is dropped; the next sweep finds the same peers due and the same changes unnumbered."""
    import os

    import redis

    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    client.rpush("celery-of-this-test", "a message")
    home.put()
    due = sync.due_peers()

    client.delete(*client.keys("*celery*") or ["none"])  # the tests' own number; FLUSHALL would reach others

    assert sync.due_peers() == due == ["cn-33"]
    tasks.sweep()
    assert Dataset.objects.count() == 1 or pull().applied == 1
    assert Peer.objects.get(pk="cn-33").last_contact and connection.vendor
