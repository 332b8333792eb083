"""A round of experts: assigned at random, blind until all have submitted, discussed where they differ, then closed for good."""

import hashlib
import secrets
from datetime import timedelta
from decimal import Decimal, InvalidOperation

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.exceptions import Conflict, ListingInvalid, NotAllowed
from catalog.models import Dataset, User
from catalog.services import audit
from quality.indicators.registry import CODES
from quality.models import Adjudication, Case, EvaluationBody, Expert, ExpertAssignment, ExpertRound, ExpertScore
from quality.panel import aggregation, assignment
from quality.permissions import expert_of, require_evaluator, require_neutral, require_supervisor, valid_experts
from quality.services import triggers
from quality.services.cases import notify, required
from quality.services.evaluation import is_evaluated, latest_run
from quality.services.schemes import active_scheme

DAYS = 14
RECENT = 2  # rounds that are looked back for pairs
REASON_LIMIT = 2000
State, Goal = ExpertRound.State, ExpertRound.Goal
EXCLUDED = {
    "invalid": gettext_lazy("登记已失效"),
    "organization": gettext_lazy("与提供方同一机构"),
    "interest": gettext_lazy("申报了利益关系"),
    "scope": gettext_lazy("不在评测范围"),
    "share": gettext_lazy("近期评测该提供方过多"),
    "pair": gettext_lazy("同一组合连续出现"),
}


def expert_indicators(scheme_content: dict) -> list[str]:
    """Those that experts have a share in."""
    return [code for code in CODES if scheme_content["shares"][code][1]]


@transaction.atomic
def start_round(dataset: Dataset, *, by: User, goal: str = Goal.LISTING, indicators=(), body: EvaluationBody | None = None, is_full_data=False,
                wanted: int = assignment.RATERS, scenario: str = "", case: Case | None = None, without=frozenset(), gold: dict | None = None,
                days: int = DAYS, seed: int | None = None) -> ExpertRound:  # fmt: skip
    """Draw the raters and tell them. Conflict when too few may rate, naming why the others may not.

    `without` are experts kept out (those of the round under review). A re-run, a review and a check with known defects do not count
    towards the score until something says so."""
    require_evaluator(by, dataset.organization_id, body.organization_id if body and goal in (Goal.SPOT_CHECK, Goal.APPEAL) else None)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if not is_evaluated(dataset):
        raise Conflict(_("只评测本门户已上架的数据集。"))
    if dataset.expert_rounds.filter(state__in=ExpertRound.OPEN_STATES, goal=goal).exists():
        raise Conflict(_("这个数据集已经有同类的专家评测在进行。"))
    run, known = latest_run(dataset), expert_indicators(active_scheme().content)
    codes = _indicators(indicators, known, body)
    if not assignment.RATERS <= wanted <= 9:
        raise ListingInvalid([{"pointer": "/wanted", "code": "range", "message": _("专家人数为 3 到 9。")}])
    _require_body(body, dataset, is_full_data)
    round_ = ExpertRound(
        dataset=dataset, goal=goal, body=body, case=case, indicators=codes, is_full_data=is_full_data, scenario=scenario[:500],
        seed=secrets.randbits(53) if seed is None else seed, document_hash=dataset.document_hash, samples_hash=samples_hash(dataset),
        automatic=automatic_scores(run), grade_before=run.final_grade if run else "", score_before=run.raw_score if run else None,
        counts=goal in (Goal.LISTING, Goal.PERIODIC), gold=gold or {}, created_by=by, due_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    chosen, round_.excluded = choose(round_, wanted, without=without)
    if len(chosen) < assignment.RATERS:
        raise Conflict(_("可分派的专家只有 %(count)d 位，至少要 3 位。%(why)s") % {"count": len(chosen), "why": why_not(round_.excluded)})
    round_.save()
    _assign(round_, chosen)
    audit.append("quality.round.started", round_, actor=by, dataset=dataset.identifier, goal=goal, seed=round_.seed, indicators=codes,
                 experts=[str(expert.uid) for expert in chosen], excluded=round_.excluded)  # fmt: skip
    return round_


def _indicators(wanted, known: list[str], body) -> list[str]:
    if bad := [code for code in wanted if code not in known]:
        message = _("专家不评这些指标：%(codes)s。") % {"codes": ", ".join(bad)}
        raise ListingInvalid([{"pointer": "/indicators", "code": "unknown", "message": message}])
    codes = [code for code in known if not wanted or code in wanted]
    return [code for code in codes if code in body.indicators] if body and body.indicators else codes


def _require_body(body, dataset, is_full_data) -> None:
    if body is None:
        if is_full_data:
            raise Conflict(_("全量数据评测要由登记的评测机构承担。"))
        return
    if not body.is_valid:
        raise Conflict(_("评测机构“%(name)s”的登记已失效或暂停。") % {"name": body.organization.name})
    if body.sectors and not set(body.sectors) & set(dataset.sectors):
        raise Conflict(_("这个领域不在评测机构“%(name)s”登记的能力范围内。") % {"name": body.organization.name})
    if is_full_data and not body.is_accredited:
        raise Conflict(_("评测机构“%(name)s”没有全量评测的资格。") % {"name": body.organization.name})
    if body.organization_id == dataset.organization_id:
        raise NotAllowed(_("评测机构不能评测本机构的数据集。"))


def choose(round_: ExpertRound, wanted: int, *, without=frozenset(), taken=()) -> tuple[list[Expert], dict]:
    """(experts, {expert uid: reason}). A commissioned body draws among its own experts; a re-run among all others'."""
    pool = Expert.objects.select_related("user", "body").prefetch_related("interests").exclude(pk__in=without)
    if round_.body and round_.goal not in (Goal.SPOT_CHECK, Goal.APPEAL):
        pool = pool.filter(body=round_.body)
    elif round_.body:
        pool = pool.exclude(body=round_.body)
    valid = set(valid_experts().values_list("pk", flat=True))
    pool = list(pool)
    table = {str(expert.uid): expert for expert in pool}
    candidates = [_candidate(expert, round_, expert.pk in valid) for expert in pool]
    choice = assignment.choose(candidates, provider=round_.dataset.organization_id, sectors=round_.dataset.sectors, seed=round_.seed,
                               wanted=wanted, taken=[str(expert.uid) for expert in taken])  # fmt: skip
    return [table[key] for key in choice.chosen], choice.excluded


def _candidate(expert: Expert, round_: ExpertRound, is_valid: bool) -> assignment.Candidate:
    done = expert.assignments.exclude(state=ExpertAssignment.State.DECLINED).order_by("-id")
    recent = []
    for pk in done.values_list("round_id", flat=True)[:RECENT]:
        others = ExpertAssignment.objects.filter(round_id=pk).exclude(expert=expert).exclude(state=ExpertAssignment.State.DECLINED)
        recent.append(frozenset(str(uid) for uid in others.values_list("expert__uid", flat=True)))
    covers = not expert.indicators or set(round_.indicators) <= set(expert.indicators)
    has_valid_body = expert.body is None or expert.body.is_valid
    return assignment.Candidate(
        key=str(expert.uid),
        organization=expert.organization_id or (expert.body.organization_id if expert.body else None),
        interests=frozenset(org.pk for org in expert.interests.all()) | frozenset(expert.user.organization_ids()),
        sectors=frozenset(expert.sectors),
        is_valid=is_valid and covers and has_valid_body,
        works=done.count(),
        works_of_provider=done.filter(round__dataset__organization=round_.dataset.organization_id).count(),
        recent=tuple(recent),
    )


def why_not(excluded: dict) -> str:
    counts: dict[str, int] = {}
    for reason in excluded.values():
        counts[reason] = counts.get(reason, 0) + 1
    return "".join(_("%(why)s %(count)d 位。") % {"why": EXCLUDED[reason], "count": count} for reason, count in sorted(counts.items()))


def _assign(round_: ExpertRound, experts) -> None:
    for expert in experts:
        ExpertAssignment.objects.create(round=round_, expert=expert)
    text = _("请评测“%(title)s”，%(due)s 前提交") % {"title": round_.dataset.title, "due": f"{timezone.localtime(round_.due_at):%Y-%m-%d}"}
    notify({expert.user_id for expert in experts}, kind="quality.assigned", text=text, url="/quality/desk/")


def locked(round_: ExpertRound, *states: str) -> ExpertRound:
    round_ = ExpertRound.objects.select_for_update(of=("self",)).select_related("dataset", "case", "body").get(pk=round_.pk)
    if round_.state not in states:
        raise Conflict(_("这一轮专家评测%(state)s，不能再这样做。") % {"state": round_.get_state_display()})
    return round_


@transaction.atomic
def submit_scores(row: ExpertAssignment, *, user: User, scores: dict) -> ExpertAssignment:
    """`scores` is {indicator: (score, reason)} of every indicator of the round. Scores given before a discussion are kept beside the new."""
    round_ = locked(row.round, *ExpertRound.OPEN_STATES)
    row = ExpertAssignment.objects.select_for_update(of=("self",)).select_related("expert").get(pk=row.pk)
    _require_rater(row, round_, user)
    if row.state == ExpertAssignment.State.SUBMITTED and round_.state == State.SCORING:
        raise Conflict(_("评分已经提交；全部提交之前不能再改。"))
    checked = check_scores(round_.indicators, scores)
    earlier = {score.indicator: score for score in row.scores.all()}
    for code, (value, reason) in checked.items():
        old = earlier.get(code)
        before = [*old.before, str(old.score)] if old and old.score != value else old.before if old else []
        ExpertScore.objects.update_or_create(assignment=row, indicator=code, defaults={"score": value, "reason": reason, "before": before})
    row.state, row.submitted_at = ExpertAssignment.State.SUBMITTED, row.submitted_at or timezone.now()
    row.save(update_fields=["state", "submitted_at"])
    given = {code: str(value) for code, (value, _why) in checked.items()}
    audit.append("quality.round.submitted", round_, actor=user, assignment=str(row.uid), scores=given)
    if round_.state == State.SCORING:
        settle(round_)
    return row


def _require_rater(row: ExpertAssignment, round_: ExpertRound, user: User) -> None:
    if row.expert.user_id != user.pk:
        raise NotAllowed(_("这项评测没有分派给您。"))
    if not row.expert.is_valid:
        raise NotAllowed(_("您的专家登记已失效，不能评分。"))
    if row.state == ExpertAssignment.State.DECLINED:
        raise Conflict(_("您已经回避这项评测。"))
    require_neutral(user, round_.dataset.organization_id)


def check_scores(codes, scores: dict) -> dict[str, tuple[Decimal, str]]:
    """ListingInvalid names every indicator whose score or reason does not hold."""
    errors, found = [], {}
    for code in codes:
        text, reason = scores.get(code, ("", ""))
        reason = (reason or "").strip()
        try:
            value = Decimal(str(text).strip()).quantize(Decimal("0.01"))
        except (InvalidOperation, ValueError):
            value = None
        if value is None or not value.is_finite() or not 0 <= value <= 100:
            errors.append({"pointer": f"/scores/{code}", "code": "range", "message": _("%(code)s：请给 0 到 100 的分。") % {"code": code}})
        elif aggregation.needs_reason(float(value)) and not reason:
            message = _("%(code)s：低于 60 或高于 90 分要写明理由。") % {"code": code}
            errors.append({"pointer": f"/reasons/{code}", "code": "required", "message": message})
        elif len(reason) > REASON_LIMIT:
            errors.append({"pointer": f"/reasons/{code}", "code": "too_long", "message": _("%(code)s：理由最多 2000 个字。") % {"code": code}})
        else:
            found[code] = (value, reason)
    if errors:
        raise ListingInvalid(errors)
    return found


@transaction.atomic
def decline(row: ExpertAssignment, *, user: User, reason: str, has_interest: bool = False) -> None:
    """Step back; with an interest declared it is kept in the register. The next of the same draw takes the place."""
    round_ = locked(row.round, State.SCORING)
    row = ExpertAssignment.objects.select_for_update(of=("self",)).select_related("expert").get(pk=row.pk)
    if row.expert.user_id != user.pk:
        raise NotAllowed(_("这项评测没有分派给您。"))
    if row.state != ExpertAssignment.State.ASSIGNED:
        raise Conflict(_("已经提交或回避，不能再回避。"))
    row.state, row.reason = ExpertAssignment.State.DECLINED, required(reason, "/reason")
    row.save(update_fields=["state", "reason"])
    if has_interest:
        row.expert.interests.add(round_.dataset.organization)
    audit.append("quality.round.declined", round_, actor=user, assignment=str(row.uid), reason=row.reason, interest=has_interest)
    if not _add(round_):
        notify({round_.created_by_id} - {None}, kind="quality.round", text=_("没有可替补的专家：“%(title)s”") % {"title": round_.dataset.title},
               url=f"/quality/rounds/{round_.uid}/")  # fmt: skip
        settle(round_)


@transaction.atomic
def add_rater(round_: ExpertRound, *, by: User) -> Expert:
    """A further rater from the same draw, where the others differ too much."""
    round_ = locked(round_, *ExpertRound.OPEN_STATES)
    require_evaluator(by, round_.dataset.organization_id)
    expert = _add(round_)
    if expert is None:
        raise Conflict(_("没有其他可分派的专家。"))
    round_.state = State.SCORING
    round_.save(update_fields=["state"])
    audit.append("quality.round.rater_added", round_, actor=by, expert=str(expert.uid))
    return expert


def _add(round_: ExpertRound) -> Expert | None:
    rows = list(round_.assignments.select_related("expert"))
    without = {row.expert_id for row in rows if row.state == ExpertAssignment.State.DECLINED} | raters_before(round_)
    taken = [row.expert for row in rows if row.state != ExpertAssignment.State.DECLINED]
    chosen, _excluded = choose(round_, 1, without=without, taken=taken)
    _assign(round_, chosen)
    return chosen[0] if chosen else None


def raters_before(round_: ExpertRound) -> set[int]:
    """Those of the round that this one reviews."""
    checked = round_.case.round if round_.case else None
    return set(checked.assignments.values_list("expert_id", flat=True)) if checked else set()


def settle(round_: ExpertRound) -> None:
    """Once nobody is waited for: close, or discuss what differs by more than 20."""
    rows = round_.assignments.exclude(state=ExpertAssignment.State.DECLINED)
    if rows.filter(state=ExpertAssignment.State.ASSIGNED).exists() or not rows.exists():
        return
    found = aggregates(round_)
    if any(one.is_wide for one in found.values()) and rows.count() < 4:
        round_.state = State.DISCUSSION
        round_.save(update_fields=["state"])
        audit.append("quality.round.discussion", round_, label="system", indicators=[code for code, one in found.items() if one.is_wide])
        people = {row.expert.user_id for row in rows.select_related("expert")} | {round_.created_by_id}
        text = _("专家评分相差超过 20 分，请讨论：“%(title)s”") % {"title": round_.dataset.title}
        notify(people - {None}, kind="quality.round", text=text, url="/quality/desk/")
        return
    close(round_, found)


def aggregates(round_: ExpertRound) -> dict[str, aggregation.Aggregate]:
    values: dict[str, list[float]] = {}
    rows = ExpertScore.objects.filter(assignment__round=round_, assignment__state=ExpertAssignment.State.SUBMITTED)
    for code, score in rows.values_list("indicator", "score"):
        values.setdefault(code, []).append(float(score))
    return {code: aggregation.aggregate(values[code]) for code in round_.indicators if code in values}


@transaction.atomic
def conclude(round_: ExpertRound, *, by: User, reason: str) -> ExpertRound:
    """End the discussion: the scores as they stand now are taken."""
    round_ = locked(round_, State.DISCUSSION)
    require_evaluator(by, round_.dataset.organization_id)
    round_.reason = required(reason, "/reason")
    audit.append("quality.round.concluded", round_, actor=by, reason=round_.reason)
    close(round_, aggregates(round_))
    return round_


def close(round_: ExpertRound, found: dict[str, aggregation.Aggregate]) -> None:
    from quality.services import reruns

    round_.state, round_.closed_at = State.CLOSED, timezone.now()
    round_.result = {code: {"value": f"{one.value:.2f}", "method": one.method, "n": one.n, "low": f"{one.low:.2f}", "high": f"{one.high:.2f}"}
                     for code, one in found.items()}  # fmt: skip
    round_.save()
    for code, one in found.items():
        machine = round_.automatic.get(code)
        if round_.goal != Goal.GOLD and aggregation.needs_adjudication(float(machine) if machine else None, one.value):
            Adjudication.objects.create(round=round_, indicator=code, automatic=Decimal(machine), expert=Decimal(f"{one.value:.2f}"))
    digest = hashlib.sha256(orjson.dumps(round_.result, option=orjson.OPT_SORT_KEYS)).hexdigest()
    audit.append("quality.round.closed", round_, label="system", result=digest)
    if round_.goal == Goal.SPOT_CHECK and round_.case:
        reruns.compare(round_)
    elif round_.counts:
        triggers.ask(round_.dataset, "opinions")


@transaction.atomic
def void_round(round_: ExpertRound, *, by: User, reason: str) -> None:
    """A conflict of interest or another fault was found: the round never counts."""
    require_supervisor(by, round_.dataset.organization_id)
    round_ = locked(round_, *State.values[:3])
    counted = round_.state == State.CLOSED and round_.counts
    round_.state, round_.reason, round_.counts = State.VOID, required(reason, "/reason"), False
    round_.save(update_fields=["state", "reason", "counts"])
    audit.append("quality.round.void", round_, actor=by, reason=round_.reason)
    if counted:
        triggers.ask(round_.dataset, "void")


@transaction.atomic
def adjudicate(row: Adjudication, *, by: User, choice: str, reason: str, value=None) -> Adjudication:
    """Decide which of the two holds. Nobody adjudicates what they scored, or their own organisation's dataset."""
    require_evaluator(by, row.round.dataset.organization_id)
    row = Adjudication.objects.select_for_update(of=("self",)).select_related("round__dataset").get(pk=row.pk)
    if row.state != Adjudication.State.OPEN:
        raise Conflict(_("已经裁定。"))
    expert = expert_of(by)
    if expert and row.round.assignments.filter(expert=expert).exists():
        raise NotAllowed(_("不能裁定自己评过的指标，请由其他人裁定。"))
    if choice not in Adjudication.Choice.values:
        raise ListingInvalid([{"pointer": "/choice", "code": "required", "message": _("请选择以哪一方为准。")}])
    if choice == Adjudication.Choice.BETWEEN:
        ((row.value, _why),) = check_scores(["value"], {"value": (value, "x")}).values()
    else:
        row.value = row.automatic if choice == Adjudication.Choice.AUTOMATIC else row.expert
    row.choice, row.reason, row.decided_by, row.decided_at = choice, required(reason, "/reason"), by, timezone.now()
    row.state = Adjudication.State.DECIDED
    row.save()
    audit.append("quality.adjudicated", row, actor=by, indicator=row.indicator, choice=choice, value=str(row.value), reason=row.reason)
    if row.round.counts:
        triggers.ask(row.round.dataset, "opinions")
    return row


def is_blind(round_: ExpertRound) -> bool:
    """Nobody sees another's scores while anybody is still to submit."""
    return round_.assignments.filter(state=ExpertAssignment.State.ASSIGNED).exists()


def samples_hash(dataset: Dataset) -> str:
    """Of the sample files: what experts said of the data holds as long as these are the same."""
    return hashlib.sha256("\n".join(sorted(dataset.samples.values_list("sha256", flat=True))).encode()).hexdigest()


def automatic_scores(run) -> dict[str, str]:
    """{indicator: score} that the machine gave, without what people said; what is only declared is not a machine's score."""
    found = {}
    for row in orjson.loads(run.result)["indicators"] if run and run.result else []:
        parts = [(float(part["score"]), float(part["share"])) for part in row.get("sources") or [] if part["source"] in ("metadata", "sample")]
        is_measured = row["code"].startswith("01") or any(part["source"] == "sample" for part in row.get("sources") or [])
        total = sum(share for _score, share in parts)
        if row["status"] == "measured" and is_measured and total:
            found[row["code"]] = f"{sum(score * share for score, share in parts) / total:.2f}"
    return found
