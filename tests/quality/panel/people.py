"""Experts, bodies and rounds for the tests of what people do."""

import hashlib
from datetime import timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from catalog.models import Sample
from quality.models import EvaluationBody, Expert
from quality.services import rounds
from tests.factories import make_dataset, make_organization, make_user


def term() -> dict:
    today = timezone.localdate()
    return {"valid_from": today - timedelta(days=30), "valid_until": today + timedelta(days=365)}


def make_body(**fields) -> EvaluationBody:
    return EvaluationBody.objects.create(organization=fields.pop("organization", None) or make_organization(kind="evaluator"), **term() | fields)


def make_expert(body=None, **fields) -> Expert:
    organization = fields.pop("organization", None) or (None if body else make_organization())
    return Expert.objects.create(user=fields.pop("user", None) or make_user(), body=body, organization=organization, **term() | fields)


def make_listed(**fields):
    return make_dataset(status="listed", listed_at=timezone.now(), document_hash="d" * 64, **fields)


def add_file(dataset, content: bytes, name="labels.csv", **fields) -> Sample:
    sample = Sample(dataset=dataset, name=name, format=name.rsplit(".", 1)[-1], state="ready", byte_size=len(content), **fields)
    sample.file.save(name, ContentFile(content), save=False)
    sample.sha256 = sample.sha256 or hashlib.sha256(content).hexdigest()
    sample.save()
    return sample


def score_all(round_, values, *, reason="理由写明") -> None:
    """Every assigned rater in turn gives one of `values` ({code: score} or one score) to each indicator."""
    rows = list(round_.assignments.filter(state="assigned").select_related("expert__user"))
    for row, value in zip(rows, values, strict=True):
        given = {code: (value[code] if isinstance(value, dict) else value, f"{reason}{row.pk}号{code}") for code in round_.indicators}
        rounds.submit_scores(row, user=row.expert.user, scores=given)
    round_.refresh_from_db()
