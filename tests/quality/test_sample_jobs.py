"""A reading process that breaks: the sample says why, the grade that stood stays; progress and cancelling reach the job."""

import pytest

from catalog import jobs
from catalog.models import Dataset, Job, Sample
from quality.sandbox import ProfileFailed
from quality.services import samples
from quality.tasks import PROFILE
from tests.quality import faults
from tests.quality.test_evaluation import give_sample, listed

pytestmark = pytest.mark.django_db


def graded():
    dataset = listed()
    give_sample(dataset, faults.table())
    jobs.run_due()
    dataset.refresh_from_db()
    assert dataset.grade
    return dataset


def breaks(reason, *, final, calls):
    def profile_apart(path, name, *, progress=None):
        calls.append(name)
        raise ProfileFailed(reason, final=final)

    return profile_apart


def test_a_file_past_the_memory_is_held_back_and_the_grade_stays(monkeypatch):
    dataset, calls = graded(), []
    before = (dataset.grade, dataset.score, dataset.evaluations.count())
    monkeypatch.setattr(samples, "profile_apart", breaks("读取需要的内存超过上限，已停止。", final=True, calls=calls))

    sample = give_sample(dataset, "a,b\n1,2\n", name="second.csv")
    jobs.run_due()

    sample.refresh_from_db()
    dataset.refresh_from_db()
    assert (sample.state, len(calls)) == (Sample.State.BLOCKED, 1)
    assert "内存超过上限" in sample.state_reason
    assert (dataset.grade, dataset.score, dataset.evaluations.count()) == before


def test_a_process_that_breaks_is_tried_once_more_then_the_sample_says_why(monkeypatch):
    dataset, calls = graded(), []
    monkeypatch.setattr(samples, "profile_apart", breaks("读取进程异常结束（-11）。", final=False, calls=calls))

    sample = give_sample(dataset, "a,b\n1,2\n", name="second.csv")
    jobs.run_due()
    Job.objects.filter(kind=PROFILE, state="queued").update(run_after=sample.created_at)
    jobs.run_due()

    sample.refresh_from_db()
    assert (sample.state, len(calls)) == (Sample.State.BLOCKED, 2)
    assert "异常结束" in sample.state_reason
    assert Dataset.objects.get(pk=dataset.pk).grade == dataset.grade


def test_progress_reaches_the_job_and_a_cancelled_job_stops_the_process(monkeypatch):
    dataset, seen = listed(), []

    def profile_apart(path, name, *, progress=None):
        progress(3, 10)
        job = Job.objects.get(kind=PROFILE, state="running")
        seen.append((job.done_units, job.total_units))
        jobs.cancel(job)
        progress(4, 10)

    monkeypatch.setattr(samples, "profile_apart", profile_apart)
    sample = give_sample(dataset, "a,b\n1,2\n")
    jobs.run_due()

    sample.refresh_from_db()
    assert seen == [(3, 10)] and sample.state == Sample.State.PENDING
    assert Job.objects.get(kind=PROFILE).state == "cancelled"


def test_rows_of_another_listing_are_named_as_a_copy():
    first = graded()
    second = listed()
    give_sample(second, faults.table(lambda rows: rows.reverse()), name="copy.csv")
    jobs.run_due()

    (found,) = Sample.objects.get(dataset=second).profile["near_copies"]

    assert found["dataset"] == str(first.uid) and found["percent"] >= 90
