"""Jobs: one at a time per key, never lost, never ended by a worker that no longer holds them."""

import os
import signal
import sqlite3
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from catalog import jobs, tasks
from catalog.models import Job
from tests.processes import environment, manage, migrated, start, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def handler(monkeypatch):
    """Registers a function as the handler of kind "test"."""

    def register(function):
        monkeypatch.setitem(jobs.HANDLERS, "test", function)
        return function

    return register


def expire(job):
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_job_runs_once_and_keeps_its_result(handler):
    calls = []
    handler(lambda job: calls.append(job.payload) or {"rows": 3})
    job = jobs.enqueue("test", {"a": 1})

    assert jobs.run(job.pk) is True
    assert jobs.run(job.pk) is False

    job.refresh_from_db()
    assert (calls, job.state, job.result, job.attempts) == ([{"a": 1}], "done", {"rows": 3}, 1)
    assert job.finished_at and job.lease_until is None


def test_the_same_key_asked_twice_gives_one_open_job(handler):
    handler(lambda job: None)
    first = jobs.enqueue("test", key="k")

    assert jobs.enqueue("test", key="k").pk == first.pk

    jobs.run(first.pk)
    assert jobs.enqueue("test", key="k").pk != first.pk


def test_a_job_asked_for_while_it_runs_runs_once_more(handler):
    runs = []

    @handler
    def ask_again(job):
        runs.append(job.pk)
        if len(runs) == 1:
            assert jobs.enqueue("test", key="k").pk == job.pk

    job = jobs.enqueue("test", key="k")
    jobs.run_due()

    job.refresh_from_db()
    assert runs == [job.pk, job.pk]
    assert (job.state, job.rerun) == ("done", False)


def test_an_error_is_kept_and_tried_again_after_a_wait_then_given_up(handler):
    @handler
    def broken(job):
        raise ValueError("no such column")

    job = jobs.enqueue("test", max_attempts=2)
    jobs.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.error) == ("queued", "ValueError: no such column")
    assert job.run_after > timezone.now() + timedelta(seconds=3)
    assert jobs.run(job.pk) is False

    Job.objects.update(run_after=timezone.now())
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("failed", 2)


def test_an_unknown_kind_waits_for_a_worker_that_knows_it():
    job = jobs.enqueue("of-a-newer-version")

    jobs.run(job.pk)

    job.refresh_from_db()
    assert job.state == "queued" and "of-a-newer-version" in job.error


def test_a_delayed_job_is_announced_when_its_time_has_come(handler, django_capture_on_commit_callbacks):
    handler(lambda job: None)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue("test", delay=timedelta(minutes=5))

    assert jobs.sweep() == 0

    Job.objects.update(run_after=timezone.now())
    jobs.sweep()
    job.refresh_from_db()
    assert job.state == "done"


def test_a_committed_job_wakes_a_worker_and_a_rolled_back_one_does_not(handler, django_capture_on_commit_callbacks, monkeypatch):
    woken = []
    monkeypatch.setattr(tasks.run_job, "delay", woken.append)

    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue("test")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            jobs.enqueue("test")
            _ = 1 / 0

    assert woken == [job.pk]


def test_the_sweep_does_not_flood_the_broker_with_copies(monkeypatch):
    woken = []
    monkeypatch.setattr(tasks.run_job, "delay", woken.append)
    for _ in range(5):
        jobs.enqueue("test", delay=timedelta(seconds=1))
    Job.objects.update(run_after=timezone.now())

    for _ in range(10):
        tasks.sweep_jobs()

    assert len(woken) == len(set(woken)) == 5


def test_a_message_that_was_lost_is_sent_again_later(monkeypatch):
    woken = []
    monkeypatch.setattr(tasks.run_job, "delay", woken.append)
    job = jobs.enqueue("test")
    assert jobs.sweep() == 0

    Job.objects.update(announced_at=timezone.now() - jobs.ANNOUNCE_AGAIN - timedelta(seconds=1))

    assert jobs.sweep() == 1 and woken == [job.pk]


@pytest.mark.parametrize("error", [ConnectionRefusedError("no"), OperationalError("no")])
def test_a_broker_that_is_down_does_not_hurt_the_request(error, monkeypatch, django_capture_on_commit_callbacks):
    def refuse(pk):
        raise error

    monkeypatch.setattr(tasks.run_job, "delay", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue("test")

    job.refresh_from_db()
    assert job.state == "queued" and job.announced_at is None


def test_an_expired_lease_is_taken_over_and_the_first_worker_changes_nothing_any_more(handler):
    seen = []

    @handler
    def taken_over(job):
        expire(job)
        other = jobs.claim(job.pk)
        seen.append(other)
        jobs.progress(job, 1)

    job = jobs.enqueue("test")
    jobs.run(job.pk)

    job.refresh_from_db()
    assert job.state == "running" and job.lease_token == seen[0].lease_token
    assert jobs.finish(seen[0], state="done") is True


def test_a_lease_that_is_held_cannot_be_claimed(handler):
    job = jobs.enqueue("test")

    assert jobs.claim(job.pk) is not None
    assert jobs.claim(job.pk) is None


def test_a_late_heartbeat_does_not_start_the_job_twice_in_one_worker(handler):
    second = []

    @handler
    def slow(job):
        expire(job)
        second.append(jobs.run(job.pk))

    jobs.run(jobs.enqueue("test").pk)

    assert second == [False]


def test_a_cancelled_job_stops_at_its_next_progress_and_stays_cancelled(handler):
    reached = []

    @handler
    def long(job):
        jobs.progress(job, 1, 2)
        assert jobs.cancel(job)
        jobs.progress(job, 2, 2)
        reached.append("never")

    job = jobs.enqueue("test")
    jobs.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.done_units, reached) == ("cancelled", 1, [])
    assert jobs.cancel(job) is False


def test_workers_that_keep_dying_end_the_job(handler):
    handler(lambda job: None)
    job = jobs.enqueue("test", max_attempts=2)
    for _ in range(2):
        assert jobs.claim(job.pk)
        expire(job)

    jobs.run_due()

    job.refresh_from_db()
    assert job.state == "failed" and "2" in job.error


def test_old_jobs_are_forgotten(handler):
    handler(lambda job: None)
    old, new = jobs.enqueue("test"), jobs.enqueue("test")
    jobs.run_due()
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - jobs.KEEP - timedelta(days=1))

    jobs.prune()

    assert list(Job.objects.values_list("pk", flat=True)) == [new.pk]


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_extends_the_lease_and_survives_a_busy_database(handler, monkeypatch):
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.6))
    real, failures = jobs._mine, []

    def busy_once(job):
        if not failures and jobs.threading.current_thread().name.startswith("heartbeat"):
            failures.append(1)
            raise DatabaseError("database is locked")
        return real(job)

    monkeypatch.setattr(jobs, "_mine", busy_once)

    @handler
    def work(job):
        first = job.lease_until
        wait_until(lambda: Job.objects.get(pk=job.pk).lease_until > first, seconds=5)

    job = jobs.enqueue("test")
    jobs.run(job.pk)

    job.refresh_from_db()
    assert job.state == "done" and failures == [1]


# --- real processes --------------------------------------------------------------
def rows(folder, sql):
    with sqlite3.connect(folder / "portal.sqlite3", timeout=20) as database:
        return database.execute(sql).fetchall()


def worker(env, folder):
    words = ("-m", "celery", "--quiet", "--app", "config", "worker", "--pool", "threads", "--concurrency", "2", "--include", "tests.slow_job")
    return start(*words, "--loglevel", "WARNING", "--without-heartbeat", env=env, log=folder / "worker.log")


@pytest.mark.processes
def test_a_job_finishes_although_its_worker_was_killed_in_the_middle(tmp_path):
    env = environment(tmp_path, PORTAL_JOB_LEASE_SECONDS="2")
    notes = tmp_path / "notes"
    migrated(tmp_path)
    code = f"from catalog.jobs import enqueue; enqueue('test-slow', {{'notes': {str(notes)!r}, 'steps': 600}})"
    assert manage("shell", "--no-imports", "-c", code, env=env).returncode == 0
    beat = start(
        "-m", "celery", "--quiet", "--app", "config", "beat", "--schedule", str(tmp_path / "beat"), "--pidfile", "", env=env, log=tmp_path / "b"
    )
    first = worker(env, tmp_path)
    second = None
    try:
        wait_until(lambda: rows(tmp_path, "SELECT 1 FROM catalog_job WHERE state = 'running' AND done_units > 2"))
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        assert rows(tmp_path, "SELECT state FROM catalog_job") == [("running",)]

        second = worker(env, tmp_path)

        wait_until(lambda: rows(tmp_path, "SELECT 1 FROM catalog_job WHERE state = 'done'"))
        assert notes.read_text().split("\n") == ["start 1", "start 2", "end 2", ""]
        assert rows(tmp_path, "SELECT attempts, result FROM catalog_job") == [(2, '{"attempt": 2}')]
    finally:
        for process in (beat, first, second):
            if process and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
