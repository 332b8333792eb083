"""The demonstration's people: made of organisations with 示例 in their name only, once, and through the services."""

import pytest

from catalog.models import Dataset, Organization
from catalog.services import audit
from quality import demo
from quality.models import Case, EvaluationBody, ExpertRound, LabelAudit
from quality.services.evaluation import evaluate_dataset
from tests.factories import make_member, make_organization, make_user
from tests.quality.panel.people import add_file, make_listed

pytestmark = pytest.mark.django_db


def test_the_demonstration_shows_a_round_an_appeal_and_a_rectification():
    columns = [{"name": name, "filled": 80, "missing": 0} for name in ("file", "label")]
    for place in range(4):
        organization = make_organization(name=f"示例单位{place}")
        make_member(organization)
        dataset = make_listed(title=f"示例数据{place}", organization=organization)
        add_file(dataset, b"file,label\n" + b"a.jpg,x\n" * (80 + place),
                 profile={"readable": True, "encoding": "utf-8", "delimiter": ",", "rows": 80, "columns": columns})  # fmt: skip
        evaluate_dataset(dataset)
    Dataset.objects.update(grade="B", score=80)  # bare listings get a D; the demonstration picks among better ones
    others = make_listed(organization=make_organization(name="真实单位"))
    evaluate_dataset(others)
    users = {"reviewer": make_user(role="reviewer"), "reviewer2": make_user(role="reviewer")}

    made = demo.fill(users, "secret-word-1")

    assert made and demo.fill(users, "secret-word-1") == 0
    assert sorted(Case.objects.values_list("kind", "state")) == [("appeal", "upheld"), ("rectification", "correcting"), ("spot_check", "finding")]
    assert LabelAudit.objects.get().size == 59
    assert all("示例" in row.organization.name for row in EvaluationBody.objects.select_related("organization"))
    concerned = Organization.objects.filter(pk__in=ExpertRound.objects.values("dataset__organization"))
    assert concerned.exists() and all("示例" in row.name for row in concerned)
    assert audit.verify()[1] == ""
