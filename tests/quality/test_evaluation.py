"""Runs, their publication, and the news that start them."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from catalog import jobs
from catalog.exceptions import InvalidTransition
from catalog.models import Dataset, Job, Sample
from catalog.services.publication import announce
from catalog.signals import sample_added
from quality import engine
from quality.models import Evaluation, GradeChange, Indicator, Profile
from quality.services import evaluation
from quality.services.schemes import load_schemes
from tests.factories import make_dataset, make_user

pytestmark = pytest.mark.django_db
IDS = ["11010519491231002X", "440524188001010014", "510108197205052137", "320311198704246414", "330106199001011233"]


def valid_ids(count):
    from quality.profiling.privacy import WEIGHTS

    out = []
    for number in range(count):
        body = f"33010619900101{number:03}"
        out.append(body + "10X98765432"[sum(w * int(c) for w, c in zip(WEIGHTS, body, strict=True)) % 11])
    return out


def listed(**fields):
    dataset = make_dataset(status="listed", **fields)
    announce([dataset])
    return dataset


def give_sample(dataset, content, name="样例.csv"):
    sample = Sample(dataset=dataset, name=name, format="CSV")
    sample.file.save(name, ContentFile(content.encode()))
    sample.save()
    sample_added.send(sender=Sample, sample=sample)
    return sample


def test_a_listed_dataset_is_evaluated_once_for_its_document(django_capture_on_commit_callbacks):
    dataset = listed()

    jobs.run_due()
    announce([dataset])
    jobs.run_due()
    dataset.refresh_from_db()

    assert dataset.grade and dataset.assurance == "L0"
    assert dataset.evaluations.count() == 1
    assert GradeChange.objects.get(dataset=dataset).after == dataset.grade


def test_publishing_a_grade_does_not_start_another_evaluation():
    dataset = listed()

    assert jobs.run_due() == 1
    assert jobs.run_due() == 0
    assert Job.objects.filter(kind="quality.evaluate").count() == 1
    assert dataset.evaluations.count() == 1


def test_a_draft_and_a_remote_dataset_are_not_evaluated():
    draft = make_dataset()
    announce([draft])
    remote = make_dataset(home_portal="cn-44", status="listed", admission="admitted")
    announce([remote])

    assert jobs.run_due() == 0
    with pytest.raises(InvalidTransition):
        evaluation.evaluate_dataset(remote)


def test_a_sample_is_profiled_and_raises_the_assurance_level():
    dataset = listed()
    sample = give_sample(dataset, "编号,值\n" + "".join(f"{n},{n * 2}\n" for n in range(200)))

    jobs.run_due()
    sample.refresh_from_db()
    dataset.refresh_from_db()

    assert (sample.state, sample.row_count) == ("ready", 200)
    assert dataset.assurance == "L1"


def test_a_sample_with_real_identity_numbers_is_blocked_and_caps_the_grade():
    dataset = listed()
    text = "编号,备注\n" + "".join(f"{n},患者{number}已随访\n" for n, number in enumerate(valid_ids(30)))
    sample = give_sample(dataset, text)

    jobs.run_due()
    sample.refresh_from_db()
    run = evaluation.latest_run(dataset)

    assert sample.state == "blocked"
    assert "备注" in sample.state_reason
    assert valid_ids(1)[0] not in json.dumps(sample.profile, ensure_ascii=False)
    assert valid_ids(1)[0] not in run.result


def test_a_failing_run_keeps_the_old_grade_and_says_why(monkeypatch):
    dataset = listed()
    jobs.run_due()
    dataset.refresh_from_db()
    before = dataset.grade, dataset.score

    def broken(*args, **named):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(engine, "evaluate", broken)
    with pytest.raises(ZeroDivisionError):
        evaluation.evaluate_dataset(dataset)
    dataset.refresh_from_db()

    assert (dataset.grade, dataset.score) == before
    failed = dataset.evaluations.first()
    assert (failed.state, failed.reason) == ("failed", "ZeroDivisionError: planted")


def test_two_runs_of_the_same_document_give_the_same_bytes():
    dataset = listed()
    give_sample(dataset, "a,b\n1,2\n3,4\n")
    jobs.run_due()
    dataset.refresh_from_db()

    first, second = evaluation.evaluate_dataset(dataset), evaluation.evaluate_dataset(dataset)

    assert first.result == second.result
    assert first.result_sha256 == second.result_sha256


def test_a_national_decision_is_not_overwritten_by_our_own_run():
    dataset = listed()
    Dataset.objects.filter(pk=dataset.pk).update(grade="A", grade_source="national")

    evaluation.evaluate_dataset(Dataset.objects.get(pk=dataset.pk))
    dataset.refresh_from_db()

    assert (dataset.grade, dataset.grade_source) == ("A", "national")


def test_loading_the_schemes_twice_changes_nothing():
    counts = load_schemes()

    assert counts == {"indicators": 17, "schemes": 1} == load_schemes()
    assert Indicator.objects.count() == 20
    assert all(sum(profile.weights.values()) == 100 for profile in Profile.objects.all())
    assert Profile.objects.count() == 5


def test_the_command_evaluates_what_is_stale_and_prints_one_object(capsys):
    dataset = listed()
    Job.objects.all().delete()

    call_command("evaluate", "--stale", "--json")
    first = json.loads(capsys.readouterr().out)
    call_command("evaluate", "--stale", "--json")

    assert first["evaluated"] == 1 and first["failed"] == 0
    assert json.loads(capsys.readouterr().out)["evaluated"] == 0
    assert Evaluation.objects.filter(dataset=dataset).count() == 1


def test_the_federated_block_holds_no_floats():
    dataset = listed()
    jobs.run_due()
    dataset.refresh_from_db()

    block = evaluation.quality_block(dataset)

    assert set(block) == {"grade", "score", "assurance", "documentation_score", "evaluated_at", "scheme"}
    assert all(isinstance(value, (str, int)) for value in block.values())
    assert evaluation.quality_block(make_dataset()) == {}


@pytest.mark.parametrize("address", ["/datasets/{}/quality/", "/datasets/{}/quality.json", "/api/v1/datasets/{}/quality/"])
def test_a_draft_s_report_is_for_its_organization_and_reviewers(client, address):
    draft = make_dataset()

    assert client.get(address.format(draft.uid)).status_code == 404
    client.force_login(make_user(role="reviewer"))
    assert client.get(address.format(draft.uid)).status_code == 200


def test_the_report_shows_grade_indicators_and_what_is_not_measured(client):
    dataset = listed()
    give_sample(dataset, "a,b\n1,<script>alert(1)</script>\n3,4\n")
    jobs.run_due()

    page = client.get(f"/datasets/{dataset.uid}/quality/").content.decode()
    body = client.get(f"/datasets/{dataset.uid}/quality.json").json()

    assert "未测" in page and "0305" in page and "<script>alert" not in page
    assert len(body["indicators"]) == 17
    assert body["grade"] == Dataset.objects.get(pk=dataset.pk).grade
    assert [row["status"] for row in body["indicators"]].count("measured") == 10


def test_the_methods_page_comes_from_the_rows(client):
    Profile.objects.filter(code="general").update(name="通用（试）")

    page = client.get("/quality/").content.decode()

    assert "通用（试）" in page and "内容干净性" in page


def test_a_batch_of_changes_is_one_job_and_each_is_evaluated_once():
    datasets = [make_dataset(status="listed") for _number in range(4)]
    announce(datasets)
    announce(datasets)

    assert Job.objects.filter(kind="quality.evaluate_many").count() == 1
    assert jobs.run_due() == 1

    for dataset in datasets:
        dataset.refresh_from_db()
        run = dataset.evaluations.get()
        assert dataset.grade and (run.final_grade, run.scores.count()) == (dataset.grade, 17)
        assert GradeChange.objects.filter(dataset=dataset, evaluation=run).count() == 1
    assert jobs.run_due() == 0


def test_runs_of_a_batch_equal_a_run_alone():
    dataset = make_dataset(status="listed")
    announce([dataset])

    alone = evaluation.evaluate_dataset(Dataset.objects.get(pk=dataset.pk))
    (together,), errors = evaluation.evaluate_datasets([dataset.pk])

    assert (alone.result, alone.result_sha256, errors) == (together.result, together.result_sha256, {})
    assert list(alone.scores.values_list("indicator", "score", "weight")) == list(together.scores.values_list("indicator", "score", "weight"))


def test_one_bad_dataset_of_a_batch_leaves_a_reason_and_does_not_stop_the_others(monkeypatch):
    good, bad = make_dataset(status="listed"), make_dataset(status="listed", title="坏")
    whole = engine.evaluate

    def breaks(snapshot, *more, **named):
        if snapshot.document["title"] == "坏":
            raise ZeroDivisionError("x")
        return whole(snapshot, *more, **named)

    monkeypatch.setattr(engine, "evaluate", breaks)

    runs, errors = evaluation.evaluate_datasets([good.pk, bad.pk])

    assert [run.dataset_id for run in runs] == [good.pk] and list(errors) == [bad.pk]
    assert "ZeroDivisionError" in bad.evaluations.get(state=Evaluation.State.FAILED).reason
    assert Dataset.objects.get(pk=bad.pk).grade == ""


def test_a_long_evaluation_does_not_write_back_what_has_changed_meanwhile():
    from catalog.services.datasets import publish_grade

    before = listed()
    stale = Dataset.objects.get(pk=before.pk)
    changed = Dataset.objects.get(pk=before.pk)
    changed.title = "评测期间改名"
    changed.save()
    announce([changed])

    publish_grade(stale, grade="B", score=None, assurance="L1", documentation_score=70)

    now = Dataset.objects.get(pk=before.pk)
    assert (now.title, now.grade, now.rev) == ("评测期间改名", "B", changed.rev + 1)
    assert now.document_hash == changed.document_hash == stale.document_hash
    assert stale.rev == now.rev


def test_a_batch_costs_few_queries_however_many_datasets(django_assert_max_num_queries):
    datasets = [make_dataset(status="listed") for _number in range(12)]
    announce(datasets)

    with django_assert_max_num_queries(60):
        runs, _errors = evaluation.evaluate_datasets([dataset.pk for dataset in datasets])

    assert len(runs) == 12
