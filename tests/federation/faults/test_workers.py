"""Several schedulers and workers at one peer, and databases that make a transaction fail."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from catalog.models import AuditEntry, Dataset
from federation.models import Checkpoint, Peer
from federation.services import apply, leases, sync
from tests.federation.fake_portal import FakePortal, Network
from tests.federation.faults.conftest import cursor, pull
from tests.federation.faults.marks import fault


def applied() -> int:
    return AuditEntry.objects.filter(action="federation.applied").count()


@fault("F67", "I2 I10", "two schedulers")
def test_f67_two_schedulers_give_one_pull(home, monkeypatch):
    woken = []
    monkeypatch.setattr("federation.tasks.wake", lambda task, *arguments: woken.append(task))
    from federation import tasks

    home.put()
    tasks.sweep()
    tasks.sweep()  # the second beat finds the peer due as well: nobody took it yet
    home.requests.clear()
    for task in [each for each in woken if each is tasks.work]:
        task()

    assert woken.count(tasks.work) == 2 and sum("changes" in url for _method, url in home.requests) == 1
    assert applied() == 1


@fault("F68", "I2 I4", "two workers on one peer, the lease of one has expired")
def test_f68_the_second_commit_fails(home, monkeypatch):
    """The first worker sleeps beyond its lease; the second takes over and commits; what the first then brings is not committed."""
    for _ in range(3):
        home.put()
    second = []

    def sleeps(name):
        if name == "parsed" and not second:
            second.append(None)
            Checkpoint.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
            second[0] = pull()

    monkeypatch.setattr(sync, "step", sleeps)
    first = pull()

    assert (second[0].applied, second[0].error) == (3, "")
    assert "LeaseLost" in first.error and first.applied == 0
    assert applied() == 3 and cursor() == 3


@fault("F68", "I2 I4", "two workers on one peer, the lease of one has expired")
@pytest.mark.django_db(transaction=True)
@pytest.mark.services("DATABASE_URL")
def test_f68_eight_workers_at_once_on_postgresql():
    """Real connections: whoever has the lease works, the others leave; every record is applied once."""
    from django.core.management import call_command

    call_command("load_vocabularies", verbosity=0)
    home = FakePortal()
    network = Network(home)
    home.page_size = 5
    for _ in range(40):
        home.put()
    errors = []

    def work():
        try:
            for _ in range(3):
                errors.extend(run.error for run in sync.pull_peer("cn-33") if run.error and "LeaseLost" not in run.error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        network.close()

    assert errors == [] and cursor() == 40
    assert applied() == 40 == Dataset.objects.count()


def fails_once(monkeypatch, error: Exception):
    """The database breaks off the transaction that applies a page, once."""
    genuine, calls = apply.upsert_remote_datasets, []

    def breaks(*arguments):
        calls.append(None)
        if len(calls) == 1:
            raise error
        return genuine(*arguments)

    monkeypatch.setattr(apply, "upsert_remote_datasets", breaks)


@fault("F58", "I4 I1", "lock time-out while a page is applied")
@fault("F59", "I4 I1", "deadlock while a page is applied")
@pytest.mark.parametrize("text", ["canceling statement due to lock timeout", "deadlock detected"])
def test_f58_f59_a_transaction_that_is_broken_off_is_tried_again(home, monkeypatch, text):
    for _ in range(4):
        home.put()
    fails_once(monkeypatch, OperationalError(text))

    first = pull()
    left = cursor()
    second = pull()

    assert (first.error == "") or (text in first.error and left == 0)
    assert second.error == "" and cursor() == 4 and applied() == 4
    assert Peer.objects.get(pk="cn-33").failures == 0


def another_session(values: dict):
    import psycopg2

    return psycopg2.connect(host=values["HOST"], port=values["PORT"], user=values["USER"], dbname=values["NAME"], password=values["PASSWORD"])


@fault("F58", "I4 I1", "lock time-out while a page is applied")
@pytest.mark.django_db(transaction=True)
@pytest.mark.services("DATABASE_URL")
def test_f58_a_lock_that_another_holds_on_postgresql():
    """Another session holds the checkpoint: the pull gives up by the lock time-out, with nothing written, and succeeds later."""
    from django.core.management import call_command

    call_command("load_vocabularies", verbosity=0)
    home = FakePortal()
    network = Network(home)
    home.put()
    other = another_session(connection.settings_dict)
    try:
        it = other.cursor()
        with connection.cursor() as sql:
            sql.execute("SET lock_timeout = '300ms'")
        it.execute("SELECT 1 FROM catalog_portal WHERE id = 'cn-33' FOR UPDATE")
        it.execute("LOCK TABLE federation_remoterecord IN ACCESS EXCLUSIVE MODE")
        blocked = pull()
        other.rollback()
        free = pull()
    finally:
        other.close()
        network.close()
        connection.close()

    assert "OperationalError" in blocked.error
    assert free.error == "" and cursor() == 1 and applied() == 1


@fault("F60", "I4 I1", "the database connection killed while a page is applied")
@pytest.mark.django_db(transaction=True)
@pytest.mark.services("DATABASE_URL")
def test_f60_a_connection_that_the_server_ends(monkeypatch):
    from django.core.management import call_command

    call_command("load_vocabularies", verbosity=0)
    home = FakePortal()
    network = Network(home)
    for _ in range(3):
        home.put()

    def ended(name):
        if name == "applied":
            monkeypatch.setattr(sync, "step", lambda name: None)
            pid = connection.connection.info.backend_pid
            with another_session(connection.settings_dict) as other, other.cursor() as it:
                it.execute("SELECT pg_terminate_backend(%s)", [pid])
            time.sleep(0.1)

    monkeypatch.setattr(sync, "step", ended)
    try:
        try:
            broken = pull().error
        except Exception as error:  # the worker's task fails; Celery has the next one connect anew
            broken = str(error)
        connection.close()
        assert broken and cursor() == 0 and applied() == 0
        Checkpoint.objects.update(lease_until=None)
        assert pull().error == "" and cursor() == 3 and applied() == 3
    finally:
        network.close()


def test_a_lease_is_kept_while_its_worker_lives_and_lost_when_it_is_dead(home):
    checkpoint = leases.take(home.peer, "listings")
    assert leases.take(home.peer, "listings") is None
    Checkpoint.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert leases.take(home.peer, "listings") is not None
    with pytest.raises(leases.LeaseLost):
        leases.renew(checkpoint)
