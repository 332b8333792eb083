"""The operations page: for administrators, with real numbers, and what it offers is done by jobs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import jobs
from catalog.models import AuditEntry, Job, SearchRow
from catalog.search import index_datasets
from catalog.services import operations
from tests.factories import make_dataset, make_user

PAGE = "/operations/"


@pytest.fixture
def administrator(db, client):
    user = make_user(role="admin")
    client.force_login(user)
    return client


def listed(title: str):
    dataset = make_dataset(title=title, status="listed", listed_at=timezone.now())
    index_datasets([dataset])
    return dataset


@pytest.mark.parametrize("role", ["", "reviewer", "evaluator"])
def test_others_are_refused(db, client, role):
    assert client.get(PAGE).status_code == 302  # to the sign-in page
    client.force_login(make_user(role=role))

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"do": "search.repair"}).status_code == 403
    assert not Job.objects.exists()


def test_drift_is_found_and_repaired_from_the_page(administrator):
    lost = listed("丢了的")
    listed("还在的")
    SearchRow.objects.filter(dataset_id=lost.pk).update(digest="other")

    assert administrator.post(PAGE, {"do": "search.check"}).status_code == 302
    jobs.run_due()
    assert operations.index_state()["last_check"] | {"at": None} == {"at": None, "is_repair": False, "missing": 0, "stale": 1, "ghost": 0}
    assert "缺 0，过时 1，多余 0" in administrator.get(PAGE).content.decode()

    administrator.post(PAGE, {"do": "search.repair"})
    administrator.post(PAGE, {"do": "search.check"})
    jobs.run_due()

    assert "与登记一致" in administrator.get(PAGE).content.decode()
    assert AuditEntry.objects.filter(action="operations.asked").count() == 3


def test_a_rebuild_tells_how_far_it_is_and_is_asked_for_once(administrator):
    listed("重建的")
    administrator.post(PAGE, {"do": "search.build"})
    administrator.post(PAGE, {"do": "search.build"})
    job = Job.objects.get(kind="search.build")
    Job.objects.filter(pk=job.pk).update(done_units=1, total_units=4)

    assert 'value="25"' in administrator.get(PAGE).content.decode()
    jobs.run_due()
    assert Job.objects.get(pk=job.pk).result == {"built": 1}


def test_a_failed_job_is_shown_with_its_reason_and_tried_again(administrator):
    job = Job.objects.create(
        kind="audit.verify", run_after=timezone.now(), state="failed", attempts=5, error="OSError: 磁盘已满 <b>", finished_at=timezone.now()
    )
    page = administrator.get(PAGE).content.decode()
    assert "磁盘已满 &lt;b&gt;" in page and "试过 5 次" in page

    administrator.post(PAGE, {"do": "retry", "job": str(job.uid)})
    jobs.run_due()

    job.refresh_from_db()
    assert (job.state, job.attempts, job.result["error"]) == ("done", 1, "")
    assert "逐条相符" in administrator.get(PAGE).content.decode()
    answer = administrator.post(PAGE, {"do": "retry", "job": str(job.uid)}, follow=True)
    assert "没有失败" in answer.content.decode()


def test_work_that_nobody_does_is_pointed_out(administrator):
    Job.objects.create(kind="audit.verify", run_after=timezone.now() - timedelta(hours=1), state="queued")

    assert "请查看工作进程是否在运行" in administrator.get(PAGE).content.decode()


@pytest.mark.parametrize("form", [{}, {"do": "rm -rf"}, {"do": "retry"}, {"do": "retry", "job": "x"}])
def test_odd_forms_do_nothing(administrator, form):
    assert administrator.post(PAGE, form).status_code in (302, 404)
    assert not Job.objects.exists()
