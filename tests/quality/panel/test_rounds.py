"""Rounds of experts: who is drawn, blind until the end, discussion, adjudication, and what reaches the scoring."""

import pytest

from catalog.exceptions import Conflict, ListingInvalid, NotAllowed
from catalog.models import AuditEntry, Membership, Notification
from quality.models import Expert, ExpertAssignment, ExpertRound
from quality.services import registers, rounds
from quality.services.inputs import inputs_of
from quality.services.triggers import open_reasons
from tests.factories import make_dataset, make_organization, make_user
from tests.quality.panel.people import make_body, make_expert, make_listed, score_all, term

pytestmark = pytest.mark.django_db
CODES = ["0205", "0206", "0301", "0302", "0304"]


@pytest.fixture
def evaluator():
    return make_user(role="evaluator")


def start(dataset=None, by=None, **fields):
    return rounds.start_round(dataset or make_listed(), by=by or make_user(role="evaluator"), **{"indicators": CODES, "seed": 7} | fields)


def opinions(dataset):
    return {row.indicator: row for row in inputs_of([dataset])[dataset.pk].opinions}


def test_three_are_drawn_told_and_recorded_with_the_seed(evaluator):
    dataset, pool = make_listed(), [make_expert() for _place in range(6)]
    own = make_expert(organization=dataset.organization)
    round_ = start(dataset, evaluator)

    chosen = {row.expert_id for row in round_.assignments.all()}
    entry = AuditEntry.objects.get(action="quality.round.started")

    assert len(chosen) == 3 and chosen <= {expert.pk for expert in pool}
    assert round_.excluded == {str(own.uid): "organization"}
    assert entry.data["seed"] == 7 and sorted(entry.data["experts"]) == sorted(str(row.expert.uid) for row in round_.assignments.all())
    assert Notification.objects.filter(kind="quality.assigned").count() == 3


def test_members_of_the_provider_and_declared_interests_are_left_out(evaluator):
    dataset = make_listed()
    member, interested = make_expert(), make_expert()
    Membership.objects.create(user=member.user, organization=dataset.organization, role="viewer")
    interested.interests.add(dataset.organization)

    with pytest.raises(Conflict, match="申报了利益关系"):
        start(dataset, evaluator)


@pytest.mark.parametrize("status", ["draft", "suspended"])
def test_only_what_is_on_offer_is_rated(status, evaluator):
    with pytest.raises(Conflict):
        start(make_dataset(status=status), evaluator)


def test_who_may_not_start(evaluator):
    dataset = make_listed()
    Membership.objects.create(user=evaluator, organization=dataset.organization, role="viewer")

    with pytest.raises(NotAllowed):
        start(dataset, evaluator)
    with pytest.raises(NotAllowed):
        start(dataset, make_user())


def test_a_body_must_be_valid_capable_and_another_than_the_provider(evaluator):
    dataset = make_listed()
    for body in (make_body(state="suspended"), make_body(sectors=["finance"])):
        with pytest.raises(Conflict):
            start(dataset, evaluator, body=body)
    with pytest.raises(Conflict):
        start(dataset, evaluator, body=make_body(), is_full_data=True)
    with pytest.raises(NotAllowed):
        start(dataset, evaluator, body=make_body(organization=dataset.organization))


@pytest.fixture
def round_(evaluator):
    for _place in range(5):
        make_expert()
    return start(by=evaluator)


def one_sheet(value="75", reason=""):
    return dict.fromkeys(CODES, (value, reason))


def test_a_score_beyond_60_or_90_needs_its_reason_and_every_indicator_its_score(round_):
    row = round_.assignments.first()
    scores = one_sheet() | {"0205": ("59", " "), "0206": ("91", ""), "0301": ("101", "x"), "0302": ("NaN", "x"), "0304": ("", "")}

    with pytest.raises(ListingInvalid) as caught:
        rounds.submit_scores(row, user=row.expert.user, scores=scores)

    assert [error["pointer"] for error in caught.value.errors] == [
        "/reasons/0205", "/reasons/0206", "/scores/0301", "/scores/0302", "/scores/0304"]  # fmt: skip
    assert not row.scores.exists()


def test_nobody_scores_for_another_or_twice_or_without_a_valid_entry(round_):
    first, second, third = round_.assignments.all()
    rounds.submit_scores(first, user=first.expert.user, scores=one_sheet())
    Expert.objects.filter(pk=third.expert_id).update(state="suspended")

    with pytest.raises(NotAllowed):
        rounds.submit_scores(second, user=first.expert.user, scores=one_sheet())
    with pytest.raises(Conflict):
        rounds.submit_scores(first, user=first.expert.user, scores=one_sheet("80"))
    with pytest.raises(NotAllowed):
        rounds.submit_scores(third, user=third.expert.user, scores=one_sheet())
    assert rounds.is_blind(round_)


def test_agreement_closes_the_round_and_the_median_reaches_the_scoring(round_):
    score_all(round_, [70, 80, 85])

    found = opinions(round_.dataset)

    assert round_.state == "closed"
    told = {code: (row.value, row.n, row.interval, row.detail["experts"]) for code, row in found.items()}
    assert told == dict.fromkeys(CODES, (80.0, 3, (70.0, 85.0), 3))
    assert open_reasons(round_.dataset) == ["opinions"]


def test_a_wide_range_is_discussed_and_the_first_scores_stay_readable(round_, evaluator):
    score_all(round_, [60, 80, 85])
    assert round_.state == "discussion" and not opinions(round_.dataset)

    row = round_.assignments.get(scores__score=60, scores__indicator="0205")
    rounds.submit_scores(row, user=row.expert.user, scores=one_sheet("72"))
    rounds.conclude(round_, by=evaluator, reason="讨论后一致")
    round_.refresh_from_db()

    assert round_.state == "closed" and round_.result["0205"]["low"] == "72.00"
    assert row.scores.get(indicator="0205").before == ["60.00"]


def test_a_fourth_rater_ends_the_discussion(round_, evaluator):
    score_all(round_, [60, 80, 90])
    rounds.add_rater(round_, by=evaluator)
    score_all(round_, [78])

    assert round_.state == "closed"
    assert (round_.result["0205"]["value"], round_.result["0205"]["n"]) == ("79.00", 4)


def test_who_steps_back_is_replaced_and_the_interest_is_kept(round_):
    row = round_.assignments.first()
    rounds.decline(row, user=row.expert.user, reason="曾参与建设", has_interest=True)

    open_ = round_.assignments.filter(state=ExpertAssignment.State.ASSIGNED)

    assert open_.count() == 3 and row.expert_id not in open_.values_list("expert_id", flat=True)
    assert list(row.expert.interests.all()) == [round_.dataset.organization]


def test_a_difference_to_the_machine_waits_for_a_person(round_, evaluator):
    ExpertRound.objects.filter(pk=round_.pk).update(automatic={"0205": "55.00", "0206": "70.00"})
    round_.refresh_from_db()
    score_all(round_, [80, 80, 80])
    ruling = round_.adjudications.get()

    assert (ruling.indicator, "0205" in opinions(round_.dataset)) == ("0205", False)
    with pytest.raises(NotAllowed):
        rounds.adjudicate(ruling, by=round_.assignments.first().expert.user, choice="expert", reason="x")
    with pytest.raises(ListingInvalid):
        rounds.adjudicate(ruling, by=evaluator, choice="expert", reason=" ")

    rounds.adjudicate(ruling, by=evaluator, choice="between", value="66", reason="合同只覆盖一半数据")
    found = opinions(round_.dataset)["0205"]

    assert (found.value, found.detail["automatic"], found.detail["scored"]) == (66.0, "55.00", "80.00")
    with pytest.raises(Conflict):
        rounds.adjudicate(ruling, by=evaluator, choice="expert", reason="再来")


def test_an_opinion_of_the_data_ends_with_its_samples_and_one_of_the_documents_with_them(evaluator):
    for _place in range(3):
        make_expert()
    round_ = start(by=evaluator, indicators=["0101", "0205"])
    score_all(round_, [70, 80, 85])
    dataset = round_.dataset
    dataset.document_hash = "e" * 64
    dataset.save()
    assert set(opinions(dataset)) == {"0205"}

    dataset.samples.create(name="new.csv", sha256="1" * 64)
    assert opinions(dataset) == {}


def test_an_accredited_body_on_the_full_data_says_so(evaluator):
    body = make_body(is_accredited=True)
    for _place in range(3):
        make_expert(body)
    outsider = make_expert()
    round_ = start(by=evaluator, body=body, is_full_data=True)
    score_all(round_, [70, 80, 85])

    assert outsider.pk not in round_.assignments.values_list("expert_id", flat=True)
    assert all(row.detail["full"] for row in opinions(round_.dataset).values())
    body.state = "suspended"
    body.save()
    assert not any(row.detail.get("full") for row in opinions(round_.dataset).values())


def test_a_void_round_says_nothing(round_):
    score_all(round_, [70, 80, 85])
    rounds.void_round(round_, by=make_user(role="reviewer"), reason="发现利益冲突")

    assert opinions(round_.dataset) == {}
    with pytest.raises(Conflict):
        rounds.void_round(round_, by=make_user(role="reviewer"), reason="再来")


def test_registers_are_kept_by_supervisors_of_other_organisations():
    organization, reviewer = make_organization(kind="evaluator"), make_user(role="reviewer")
    body = registers.register_body(organization, by=reviewer, sectors=["transport"], indicators=["0205"], **term())
    assert body.is_valid and AuditEntry.objects.filter(action="quality.body.registered").exists()

    with pytest.raises(ListingInvalid):
        registers.register_body(organization, by=reviewer, sectors=["nowhere"], indicators=["9999"], **term())
    with pytest.raises(NotAllowed):
        registers.register_body(organization, by=make_user(role="evaluator"), **term())
    with pytest.raises(Conflict):
        registers.register_expert(reviewer, by=reviewer, **term())
    Membership.objects.create(user=reviewer, organization=organization, role="viewer")
    reviewer.__dict__.pop("_memberships")
    with pytest.raises(NotAllowed):
        registers.set_state(body, "withdrawn", by=reviewer, reason="x")
    registers.set_state(body, "suspended", by=make_user(role="reviewer"), reason="整改未通过")
    body.refresh_from_db()
    assert not body.is_valid
