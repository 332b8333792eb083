"""The people's part of the demonstration: a body, experts, a scored round, an appeal, a spot check with its rectification.

Only about organisations whose name carries 示例. Made through the services that people use, after the catalogue's own content
(catalog.signals.demo_filled); on a portal without a suitable listing nothing is made.
"""

from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.demo.accounts import make_account
from catalog.models import Dataset, Organization, User
from quality.models import EvaluationBody, Expert, ExpertAssignment, ExpertRound
from quality.services import appeals, audits, cases, registers, reruns, rounds
from quality.services.evaluation import evaluate_dataset, latest_run
from quality.services.schemes import active_scheme

BODIES = (("示例数据评测中心", "310000"), ("示例质量检验研究院", "440000"))
PEOPLE = tuple(f"{name}（示例专家）" for name in "沈韩秦许何吕施张")
HIGH = (
    "文档齐全，抽看的记录与说明一致。",
    "抽查 40 条没有发现矛盾，来源可以追溯。",
    "样例覆盖说明里列出的各种情形，数值合理。",
    "核对了合同与日志，时间和数量都对得上。",
)
LOW = (
    "来源合同只覆盖一部分数据，缺少采集日志。",
    "抽看的 30 条里有 9 条找不到来源记录。",
    "说明写了三个季节，样例只有夏季。",
    "单位没有统一，换算方法也没有写明。",
)


def fill(users: dict[str, User], password: str) -> int:
    """Cases, rounds and audits made; 0 where there is nothing to make them of, or where they are already."""
    if ExpertRound.objects.exists():
        return 0
    own = Dataset.objects.own().filter(status="listed", organization__name__contains="示例", grade__in="ABC", extras={}).order_by("-score", "pk")
    listed = [dataset for dataset in own.select_related("organization") if not dataset.is_cited and latest_run(dataset)]
    if len(listed) < 3:
        return 0
    evaluator = make_account("evaluator", "评测员", "评测员", password)
    register(users["reviewer"], password)
    best, appealed, checked = listed[0], listed[1], listed[2]
    score(best, evaluator, base=92)
    appeal(appealed, evaluator, users)
    spot_check(checked, evaluator, users)
    waiting(listed[3] if len(listed) > 3 else best, evaluator)
    for dataset in (best, appealed, checked):
        evaluate_dataset(Dataset.objects.get(pk=dataset.pk))  # at once: the demonstration does not wait for the debounce
    return 4


def register(reviewer: User, password: str) -> list[Expert]:
    today = timezone.localdate()
    term = {"valid_from": today - timedelta(days=200), "valid_until": today + timedelta(days=530)}
    found = []
    for place, (name, region) in enumerate(BODIES):
        with transaction.atomic():
            organization, _made = Organization.objects.get_or_create(
                name=name, home_portal=settings.PORTAL_ID,
                defaults={"kind": "evaluator", "region": region, "is_example": True, "verified_at": timezone.now()})  # fmt: skip
            body = registers.register_body(organization, by=reviewer, is_accredited=place == 0, note="能力范围：表格、文本、图像。", **term)
        for number in range(4):
            name = "expert" if not found else f"expert{len(found) + 1}"
            person = make_account(name, PEOPLE[place * 4 + number], "", password)
            found.append(registers.register_expert(person, by=reviewer, organization=organization, body=body, **term))
    return found


def submit(round_: ExpertRound, base: float, spread=(0, 3, -3, 5)) -> None:
    """Every rater gives the machine's score where there is one, else the base, moved a little; reasons where they are asked for."""
    rows = round_.assignments.filter(state="assigned").select_related("expert__user").order_by("pk")
    for place, row in enumerate(rows):
        given = {}
        for number, code in enumerate(round_.indicators):
            value = Decimal(str(max(5, min(98, base + spread[place % 4] + (number * 7) % 5 - 2))))
            why = (HIGH if value > 90 else LOW)[place % 4]
            given[code] = (value, f"{code} {why}" if value > 90 or value < 60 else "")
        rounds.submit_scores(row, user=row.expert.user, scores=given)
        # People take days, not milliseconds.
        ExpertAssignment.objects.filter(pk=row.pk).update(submitted_at=timezone.now() - timedelta(hours=7 * place, minutes=13 * place))
    round_.refresh_from_db()


def score(dataset: Dataset, evaluator: User, *, base: float) -> ExpertRound:
    round_ = rounds.start_round(dataset, by=evaluator, scenario="上架后首次专家评测，范围：全部文档与样例", seed=20261125)
    submit(round_, base)
    return round_


def appeal(dataset: Dataset, evaluator: User, users) -> None:
    """A low score for want of evidence, which the provider hands in; the review by others corrects it."""
    codes = [code for code in rounds.expert_indicators(active_scheme().content) if code in ("0205", "0206", "0301")]
    submit(rounds.start_round(dataset, by=evaluator, indicators=codes, seed=20261101), 52)
    provider = dataset.organization.memberships.filter(role="owner").select_related("user").first()
    if provider is None:
        return
    case = appeals.file_appeal(dataset, by=provider.user, indicator="0205", statement="采集合同和日志已补齐，覆盖全部数据，请复核 0205 内容真实性。")
    cases.move(case, "accepted", actor=users["reviewer2"], reason="材料齐全，受理。")
    submit(appeals.start_review(case, by=users["reviewer2"], reason="由未参加初评的专家复核。"), 81)
    appeals.decide(case, by=users["reviewer2"], is_upheld=True, reason="补充的合同和日志覆盖全部数据，复核得分成立，予以更正。")


def spot_check(dataset: Dataset, evaluator: User, users) -> None:
    """A body whose scores stand high; others score lower, so it is told to put that right."""
    body = EvaluationBody.objects.get(organization__name=BODIES[1][0])
    codes = ["0205", "0206", "0207", "0301"]
    round_ = rounds.start_round(dataset, by=evaluator, body=body, indicators=codes, seed=20260905)
    submit(round_, 89)
    case = next((case for case in reruns.draw_spot_checks(reruns.quarter_of(timezone.localdate()), by=users["reviewer"], seed=20261120)
                 if case.round_id == round_.pk), None)  # fmt: skip
    if case is None:
        return
    submit(reruns.start_rerun(case, by=users["reviewer"]), 66)
    case.refresh_from_db()
    if case.state == "finding":
        notice = reruns.order_rectification(case, by=users["reviewer"], due_at=timezone.now() + timedelta(days=21),
                                            reason="评分明显偏高：请核对评分依据，重新培训评测人员，并提交复核记录。")  # fmt: skip
        cases.move(notice, "correcting", actor=users["reviewer"], reason="电话确认收到，开始整改。", due_at=notice.due_at)


def waiting(dataset: Dataset, evaluator: User) -> None:
    """Work that is still open, so that the desks have something to show."""
    if dataset.expert_rounds.filter(state__in=ExpertRound.OPEN_STATES).exists():
        return
    rounds.start_round(dataset, by=evaluator, goal="periodic", scenario="年度定期审查", seed=20261124)
    for sample in dataset.samples.filter(state="ready"):
        column = next((name for name in audits.columns(sample) if name in ("label", "state", "intent", "species")), "")
        if column:
            audits.start_audit(dataset, by=evaluator, sample=sample, column=column, plan="0-59", seed=20261123)
            return
