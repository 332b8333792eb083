"""From end to end through the pages and the jobs: a round of experts leads to L2 and an A, an appeal upheld corrects a grade,
a spot check ends in a published rectification."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from catalog import jobs
from catalog.models import AuditEntry
from catalog.services import audit
from quality.models import Case, ExpertRound
from quality.services import rounds
from quality.services.schemes import active_scheme
from tests.factories import make_member, make_user
from tests.quality.panel.people import make_body, make_expert, make_listed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_once(settings):
    settings.PORTAL_EVALUATION_DELAY = 0


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def step(client, path, **form):
    answer = client.post(path, form)
    assert answer.status_code == 302, answer.content.decode()[-3000:]


def score_through_pages(round_, value):
    """Each expert opens the desk, follows the link and submits."""
    for row in round_.assignments.filter(state="assigned").select_related("expert__user"):
        client = signed_in(row.expert.user)
        assert f"/quality/assignments/{row.uid}/" in client.get("/quality/desk/").content.decode()
        form = {}
        for code in round_.indicators:
            form |= {f"score-{code}": str(value + row.pk % 3), f"reason-{code}": f"{row.pk} 号专家看过 {code} 的证据"}
        step(client, f"/quality/assignments/{row.uid}/", do="submit", **form)
    round_.refresh_from_db()
    assert round_.state == "closed"


def graded(dataset):
    jobs.run_due()
    dataset.refresh_from_db()
    return dataset.grade, dataset.assurance


def test_a_round_of_experts_leads_to_l2_and_lifts_the_cap_below_a():
    for _place in range(3):
        make_expert()
    dataset, evaluator = make_listed(), signed_in(make_user(role="evaluator"))
    path = f"/datasets/{dataset.uid}/quality/follow-up/"
    from quality.services.evaluation import evaluate_dataset

    before = evaluate_dataset(dataset)
    assert before.assurance in ("L0", "L1") and any(cap["rule"] in ("V7", "L1") for cap in before.caps + [{"rule": "V7"}])

    step(evaluator, path, do="round", wanted="3", goal="listing")
    score_through_pages(dataset.expert_rounds.get(), 93)
    _grade, assurance = graded(dataset)
    run = dataset.evaluations.first()

    assert assurance == "L2"
    assert active_scheme().content["assurance"]["L2"]["cap"] == "A"
    assert not [cap for cap in run.caps if cap["rule"] in ("V7", "L1", "L2")]  # what is left are the dataset's own weaknesses
    assert float(run.raw_score) > float(before.raw_score)


def test_an_appeal_upheld_corrects_the_grade():
    for _place in range(6):
        make_expert()
    dataset, evaluator, reviewer = make_listed(), make_user(role="evaluator"), signed_in(make_user(role="reviewer"))
    provider = signed_in(make_member(dataset.organization))
    round_ = rounds.start_round(dataset, by=evaluator, seed=5)
    score_through_pages(round_, 20)
    low, _assurance = graded(dataset)
    before = dataset.score
    path = f"/datasets/{dataset.uid}/quality/follow-up/"
    step(provider, path, do="appeal", statement="初评没有看到补充的合同。", indicator="0205")
    case = Case.objects.get(kind="appeal")
    page = f"/quality/cases/{case.uid}/"
    step(reviewer, page, to="accepted", reason="受理")
    step(reviewer, page, to="reviewing", reason="由其他专家复核")
    review = case.rounds.get(goal="appeal")
    assert not {row.expert_id for row in review.assignments.all()} & {row.expert_id for row in round_.assignments.all()}
    score_through_pages(review, 93)
    assert graded(dataset)[0] == low  # the review alone changes nothing
    step(reviewer, page, to="upheld", reason="证据成立，更正得分。")

    after, _assurance = graded(dataset)

    assert "ABCD".index(after) < "ABCD".index(low) and dataset.score > before
    assert "证据成立，更正得分。" in Client().get("/quality/supervision/").content.decode()
    assert dataset.grade_changes.first().after == after
    assert audit.verify()[1] == ""


def test_a_spot_check_finds_a_deviation_and_ends_in_a_published_rectification():
    body, other = make_body(), make_body()
    for _place in range(3):
        make_expert(body), make_expert(other)
    dataset, evaluator, reviewer = make_listed(), make_user(role="evaluator"), signed_in(make_user(role="reviewer"))
    round_ = rounds.start_round(dataset, by=evaluator, body=body, seed=5)
    score_through_pages(round_, 93)
    graded(dataset)
    ExpertRound.objects.filter(pk=round_.pk).update(closed_at=timezone.now())
    from quality.services.reruns import quarter_of

    step(reviewer, "/quality/cases/?kind=spot_check", quarter=quarter_of(timezone.localdate()))
    case = Case.objects.get(kind="spot_check")
    step(reviewer, f"/quality/cases/{case.uid}/", to="rerun", reason="由其他机构复评")
    score_through_pages(case.rounds.get(), 65)
    case.refresh_from_db()
    assert case.state == "finding" and float(case.data["points"]) > 10
    due = (timezone.localdate() + timedelta(days=14)).isoformat()
    step(reviewer, f"/quality/cases/{case.uid}/", do="order", reason="请核对评分依据并重新培训。", due=due)
    notice = Case.objects.get(kind="rectification")
    page, member = f"/quality/cases/{notice.uid}/", signed_in(make_member(body.organization))
    step(member, page, to="correcting", reason="收到，开始整改。")
    step(member, page, to="rechecking", reason="已重新培训，复核 20 项评分。")
    step(reviewer, page, to="passed", reason="复查 5 项，偏差在 10 分以内。")

    public = Client().get(page).content.decode()
    history = Client().get("/quality/supervision/").content.decode()
    case.refresh_from_db()

    assert case.state == "resolved"
    for text in ("请核对评分依据并重新培训。", "收到，开始整改。", "已重新培训，复核 20 项评分。", "复查 5 项，偏差在 10 分以内。"):
        assert text in public
    assert notice.number in history and case.number in history
    steps = AuditEntry.objects.filter(action__startswith="quality.rectification.").order_by("id").values_list("action", flat=True)
    assert [name.rsplit(".", 1)[-1] for name in steps] == ["notified", "correcting", "rechecking", "passed"]
    assert audit.verify()[1] == ""
