"""Spot checks: drawn by rule each quarter, rated again by another organisation without sight of the first, compared, followed up."""

import secrets
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict
from catalog.models import User
from catalog.services import audit
from quality.grading import band
from quality.models import Case, EvaluationBody, ExpertRound
from quality.panel import spotcheck
from quality.permissions import require_supervisor
from quality.services import cases, rounds, triggers
from quality.services.evaluation import latest_run
from quality.services.schemes import active_scheme


def quarter_of(day: date) -> str:
    return f"{day.year}Q{(day.month + 2) // 3}"


def bounds(quarter: str) -> tuple[datetime, datetime]:
    year, number = int(quarter[:4]), int(quarter[-1])
    start = date(year, 3 * number - 2, 1)
    end = date(year + number // 4, 3 * number % 12 + 1, 1)
    return timezone.make_aware(datetime.combine(start, time())), timezone.make_aware(datetime.combine(end, time()))


def previous_quarter(day: date | None = None) -> str:
    day = day or timezone.localdate()
    return quarter_of(date(day.year, 3 * ((day.month + 2) // 3) - 2, 1) - timedelta(days=1))


def runs_of(quarter: str):
    """Finished rounds of commissioned bodies that count."""
    start, end = bounds(quarter)
    rows = ExpertRound.objects.filter(state=ExpertRound.State.CLOSED, counts=True, body__isnull=False, closed_at__gte=start, closed_at__lt=end)
    return rows.filter(goal__in=[ExpertRound.Goal.LISTING, ExpertRound.Goal.PERIODIC]).select_related("body__organization", "dataset")


def residual(round_: ExpertRound) -> float | None:
    gaps = [float(row["value"]) - float(round_.automatic[code]) for code, row in round_.result.items() if code in round_.automatic]
    return sum(gaps) / len(gaps) if gaps else None


@transaction.atomic
def draw_spot_checks(quarter: str, *, by: User | None = None, seed: int | None = None) -> list[Case]:
    """Cases for what the rule asks of each body and is not drawn yet: running it twice does no harm. `by` None is the schedule."""
    if by is not None:
        require_supervisor(by)
    seed = secrets.randbits(53) if seed is None else seed
    bodies: dict[int, list[ExpertRound]] = {}
    for row in runs_of(quarter):
        bodies.setdefault(row.body_id, []).append(row)
    residuals = {row.pk: residual(row) for rows in bodies.values() for row in rows}
    pool = [value for value in residuals.values() if value is not None]
    made = []
    for rows in bodies.values():
        z = spotcheck.z_of([residuals[row.pk] for row in rows if residuals[row.pk] is not None], pool)
        drawn = set(Case.objects.filter(kind="spot_check", round__in=rows).values_list("round_id", flat=True))
        missing = spotcheck.wanted(len(rows), z) - len(drawn)
        weights = {str(row.uid): spotcheck.WEIGHT_A if row.dataset.grade == "A" else 1.0 for row in rows if row.pk not in drawn}
        table = {str(row.uid): row for row in rows}
        for key in spotcheck.draw(weights, max(0, missing), seed):
            made.append(_case(table[key], quarter, seed, len(rows), z, by))
    if made:
        audit.append("quality.spot_checks.drawn", ("quality.SpotCheck", quarter), actor=by, label="" if by else "system", seed=seed,
                     cases=[str(case.uid) for case in made])  # fmt: skip
    return made


def _case(round_: ExpertRound, quarter: str, seed: int, runs: int, z: float | None, by: User | None) -> Case:
    statement = _("%(quarter)s 抽查：%(body)s 的评测 %(number)s。") % {
        "quarter": quarter, "body": round_.body.organization.name, "number": round_.number}  # fmt: skip
    data = {"quarter": quarter, "seed": seed, "runs": runs, "z": None if z is None else f"{z:.2f}", "grade": round_.dataset.grade}
    return cases.open_case("spot_check", organization=round_.body.organization, statement=statement, actor=by, round=round_,
                           dataset=round_.dataset, evaluation=latest_run(round_.dataset), data=data)  # fmt: skip


@transaction.atomic
def start_rerun(case: Case, *, by: User, reason: str = "") -> ExpertRound:
    """Other experts, none of the checked organisation, score the same indicators; what was scored before is not shown to them."""
    checked = case.round
    if case.kind != "spot_check" or checked is None:
        raise Conflict(_("没有可复评的评测。"))
    case = cases.move(case, "rerun", actor=by, reason=reason or _("由其他机构的专家复评。"))
    return rounds.start_round(checked.dataset, by=by, goal=ExpertRound.Goal.SPOT_CHECK, indicators=checked.indicators, body=checked.body, case=case,
                              without=frozenset(checked.assignments.values_list("expert_id", flat=True)))  # fmt: skip


def compare(rerun: ExpertRound) -> Case:
    """Clean, or a finding: more than ten points apart, or another grade by the scheme's bands. On a finding the re-run counts from now on."""
    case, checked = rerun.case, rerun.case.round
    found = difference(checked, rerun)
    text = _("原评 %(before)s（%(grade_before)s），复评 %(after)s（%(grade_after)s），相差 %(points)s 分。") % found
    is_finding = float(found["points"]) > spotcheck.DEVIATION or found["grade_before"] != found["grade_after"]
    case = cases.move(case, "finding" if is_finding else "clean", actor=None, reason=text, result=text, **found)
    if is_finding:
        replace(checked, rerun, why=text)
        triggers.ask(checked.dataset, "spot_check")
    return case


def difference(one: ExpertRound, other: ExpertRound) -> dict:
    """Both totals over the indicators they share, weighted as the dataset's last run was: strings, for a case keeps them."""
    run = latest_run(one.dataset)
    codes = one.result.keys() & other.result.keys()
    weights = run.profile.weights if run else dict.fromkeys(codes, 1)
    first, second = (spotcheck.total(values(each), weights, codes) or 0.0 for each in (one, other))
    bands = (run.scheme if run else active_scheme()).content["bands"]
    return {
        "before": f"{first:.2f}",
        "after": f"{second:.2f}",
        "points": f"{abs(first - second):.2f}",
        "grade_before": band(first, bands),
        "grade_after": band(second, bands),
    }


def values(round_: ExpertRound) -> dict[str, float]:
    return {code: float(row["value"]) for code, row in round_.result.items()}


def replace(checked: ExpertRound, review: ExpertRound, *, why: str) -> None:
    """The review's scores stand for those it reviewed; both rounds stay as they are."""
    ExpertRound.objects.filter(pk=checked.pk).update(counts=False)
    ExpertRound.objects.filter(pk=review.pk).update(counts=True)
    audit.append("quality.round.replaced", checked, label="system", review=str(review.uid), reason=why)


@transaction.atomic
def order_rectification(case: Case, *, by: User, reason: str, due_at: datetime, attachment=None) -> Case:
    """A finding becomes a notice to the body to put it right within a limit; public from here on."""
    require_supervisor(by, case.organization_id)
    case = cases.locked(case)
    if (case.kind, case.state) != ("spot_check", "finding"):
        raise Conflict(_("只有发现偏差的抽查可以要求整改。"))
    if case.children.filter(kind="rectification").exists():
        raise Conflict(_("已经要求整改。"))
    if not timezone.now() < due_at <= timezone.now() + timedelta(days=366):
        raise Conflict(_("整改期限要在今天之后、一年之内。"))
    return cases.open_case("rectification", organization=case.organization, statement=reason, actor=by, due_at=due_at, attachment=attachment,
                           parent=case, dataset=case.dataset, round=None, data={"until": f"{timezone.localtime(due_at):%Y-%m-%d}"})  # fmt: skip


@transaction.atomic
def advance_rectification(case: Case, to: str, *, actor: User, reason: str, attachment=None, due_at=None) -> Case:
    """A step of the rectification; its end ends the spot check too, and a failed one suspends the body."""
    from quality.services.registers import set_state

    until = case.data.get("until")
    if to == "correcting" and due_at is None and until:  # the limit of the notice stands until another is set
        due_at = timezone.make_aware(datetime.combine(date.fromisoformat(until), time(23, 59)))
    case = cases.move(case, to, actor=actor, reason=reason, attachment=attachment, due_at=due_at)
    if case.is_ended:
        body = EvaluationBody.objects.filter(organization=case.organization).first()
        if to == "suspended" and body:
            set_state(body, EvaluationBody.State.SUSPENDED, by=None, reason=reason)
        if case.parent and case.parent.state == "finding":
            cases.move(case.parent, "resolved", actor=None, reason=_("整改%(state)s：%(number)s") % {
                "state": case.get_state_display(), "number": case.number})  # fmt: skip
    return case
