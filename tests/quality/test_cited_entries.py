import pytest

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
