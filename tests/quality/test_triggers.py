"""Why a dataset is evaluated again: reasons, one open run, expiry, alerts."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog import jobs
from catalog.models import Dataset, Job, Notification
from catalog.services.publication import announce
from quality.models import Evaluation, EvaluationRequest
from quality.services import evaluation, expiry, triggers
from quality.services.schemes import active_scheme
from tests.factories import make_dataset, make_member
from tests.quality.test_evaluation import give_sample, listed

pytestmark = pytest.mark.django_db


def graded(**fields):
    dataset = listed(**fields)
    jobs.run_due()
    dataset.refresh_from_db()
    return dataset


def test_reasons_that_come_together_become_one_run():
    dataset = graded()

    for reason in ("opinions", "appeal", "opinions"):
        triggers.ask(dataset, reason)
    jobs.run_due()

    request = EvaluationRequest.objects.get(dataset=dataset)
    assert request.reasons == ["opinions", "appeal"] and request.closed_at
    assert dataset.evaluations.count() == 2 and request.evaluation == dataset.evaluations.first()
    assert dataset.evaluations.first().reasons == ["opinions", "appeal"]


def test_a_change_waits_for_the_debounce_and_the_first_grade_does_not(settings):
    settings.PORTAL_EVALUATION_DELAY = 600
    dataset = graded()
    assert dataset.grade

    for title in ("改名一", "改名二"):
        dataset.title = title
        dataset.save()
        announce([dataset])

    assert jobs.run_due() == 0 and dataset.evaluations.count() == 1
    assert Job.objects.filter(state="queued", kind="quality.evaluate").count() == 1
    Job.objects.filter(state="queued").update(run_after=timezone.now())
    jobs.run_due()
    assert dataset.evaluations.count() == 2 and dataset.evaluations.first().reasons == ["metadata"]


def test_a_run_says_what_differs_from_the_one_before():
    dataset = graded()
    assert dataset.evaluations.get().reasons == ["first"]

    give_sample(dataset, "类别,值\n" + "".join(f"{'甲' if n % 2 else '乙'},{n}\n" for n in range(400)))
    jobs.run_due()
    dataset.samples.all().delete()
    give_sample(dataset, "类别,值\n" + "".join(f"{'甲' if n % 20 else '乙'},{n}\n" for n in range(400)), name="新样例.csv")
    jobs.run_due()

    reasons = list(dataset.evaluations.order_by("id").values_list("reasons", flat=True))
    assert "sample" in reasons[1] and {"sample", "drift"} <= set(reasons[-1])


def test_a_reason_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="unknown"):
        triggers.ask(graded(), "mood")


@pytest.mark.parametrize(("frequency", "days"), [("", 365), ("annual", 365), ("quarterly", 184), ("daily", 31)])
def test_a_grade_stands_for_twelve_months_or_two_update_periods(frequency, days):
    now = timezone.now()

    assert (expiry.expires_at({"update_frequency": frequency}, active_scheme().content, now) - now).days == days


def test_what_ran_out_is_evaluated_again_as_a_periodic_review():
    fresh, old = graded(), graded()
    Evaluation.objects.filter(dataset=old).update(expires_at=timezone.now() - timedelta(days=1))

    assert expiry.sweep() == 1
    assert expiry.sweep() == 0  # one open request a dataset
    jobs.run_due()

    run = old.evaluations.first()
    assert (run.goal, run.reasons) == ("periodic", ["expiry"]) and run.expires_at > timezone.now()
    assert fresh.evaluations.count() == 1 and list(expiry.expired()) == []


def test_the_provider_is_told_when_the_letter_changes():
    dataset = make_dataset(status="listed", license_type="", record_count=None)
    member = make_member(dataset.organization)
    announce([dataset])
    jobs.run_due()
    assert not Notification.objects.filter(user=member, kind="quality").exists()
    Dataset.objects.filter(pk=dataset.pk).update(grade="A")

    evaluation.evaluate_dataset(Dataset.objects.get(pk=dataset.pk))

    note = Notification.objects.get(user=member, kind="quality")
    assert "由 A 变为 D" in note.text and note.url == f"/datasets/{dataset.uid}/quality/"


def test_a_run_that_was_voided_no_longer_stands_and_another_follows():
    dataset = graded()
    run = evaluation.latest_run(dataset)

    evaluation.void_run(run, "评测人员与提供方有利害关系")
    assert evaluation.latest_run(dataset) is None
    jobs.run_due()

    assert evaluation.latest_run(dataset).pk != run.pk
    assert Evaluation.objects.get(pk=run.pk).state == "void"


def test_the_command_says_what_a_run_is_for(client):
    dataset = graded()

    call_command("evaluate", str(dataset.uid), "--goal", "selection", stdout=io.StringIO())

    assert dataset.evaluations.first().goal == "selection"
    assert "项目选用" in client.get(f"/datasets/{dataset.uid}/quality/").content.decode()
