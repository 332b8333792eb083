import pytest

from catalog import jobs
from catalog.services import registration, review
from quality.models import Evaluation
from quality.services.evaluation import candidates
from tests.factories import COMPLETE, make_member, make_organization, make_user


@pytest.mark.django_db
def test_an_entry_quoted_from_a_public_document_is_not_graded(django_capture_on_commit_callbacks):
    organization = make_organization()
    with django_capture_on_commit_callbacks(execute=True):
        dataset = registration.create_dataset(
            COMPLETE | {"extras": {"entry_kind": "cited"}}, organization=organization, user=make_member(organization)
        )
        review.approve_review(registration.submit_dataset(dataset, user=dataset.created_by), reviewer=make_user(role="reviewer"))

    assert dataset not in candidates()
    assert not Evaluation.objects.exists()


@pytest.mark.django_db
def test_the_side_panel_of_a_quoted_entry_names_its_source_and_asks_for_nothing(client, django_capture_on_commit_callbacks):
    organization = make_organization()
    with django_capture_on_commit_callbacks(execute=True):
        document = COMPLETE | {"extras": {"entry_kind": "cited"}, "citation": "某公开文件第三页"}
        dataset = registration.create_dataset(document, organization=organization, user=make_member(organization))
        review.approve_review(registration.submit_dataset(dataset, user=dataset.created_by), reviewer=make_user(role="reviewer"))

    page = client.get(f"/datasets/{dataset.uid}/").content.decode()

    assert "出处：某公开文件第三页" in page and "引自公开文件的条目不参加评测。" in page
    assert f"/datasets/{dataset.uid}/request/" not in page


@pytest.mark.django_db
def test_the_side_panel_says_which_dimensions_were_not_measured(client, django_capture_on_commit_callbacks):
    organization = make_organization()
    with django_capture_on_commit_callbacks(execute=True):
        dataset = registration.create_dataset(COMPLETE, organization=organization, user=make_member(organization))
        review.approve_review(registration.submit_dataset(dataset, user=dataset.created_by), reviewer=make_user(role="reviewer"))
    jobs.run_due()

    panel = client.get(f"/datasets/{dataset.uid}/").content.decode().split('class="dims"')[1].split("</div>")[0]

    assert [name in panel for name in ("说明文档", "数据质量", "模型应用")] == [True] * 3
    assert panel.count("未测") == 2
