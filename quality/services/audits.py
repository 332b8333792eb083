"""The audit of labels: records drawn from a sample by a published seed, judged one by one, decided by an acceptance plan."""

import csv
import hashlib
import io
import secrets
from dataclasses import dataclass

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import rows
from catalog.exceptions import Conflict, ListingInvalid
from catalog.models import Dataset, Sample, User
from catalog.services import audit as trail
from catalog.services.samples import open_sample
from quality.models import AuditItem, LabelAudit, SampleDraw
from quality.panel import acceptance, sampling
from quality.permissions import expert_of, is_evaluator, require_evaluator, require_neutral, valid_experts
from quality.services import triggers
from quality.services.cases import notify, required

ROWS = 200_000
BYTES = 256 * 2**20
CELL, CELLS = 600, 30  # characters and columns that the desk shows
LABELS = 500
State = LabelAudit.State


@dataclass(frozen=True)
class Record:
    place: str  # the line or the position it stands at, which is also what is drawn by
    label: str
    content: dict


def columns(sample: Sample) -> list[str]:
    """Columns that may hold the label, by the sample's profile."""
    found = sample.profile.get("columns") if isinstance(sample.profile, dict) else None
    return [str(column.get("name", ""))[:200] for column in found or [] if isinstance(column, dict) and column.get("name")]


def read_records(sample: Sample, column: str) -> list[Record]:
    """Every labelled record of a CSV, TSV, JSON or JSON Lines sample. ListingInvalid where it cannot be read or has no such column."""
    if sample.byte_size > BYTES:
        refuse(_("样例超过 %(limit)d MB，不能逐条核查。") % {"limit": BYTES // 2**20})
    with open_sample(sample) as source:
        content = source.read(BYTES + 1)
    encoding = sample.profile.get("encoding") or "utf-8"
    try:
        text = content.decode("utf-8-sig" if encoding.lower().replace("-", "") in ("utf8", "utf8sig") else encoding, "replace")
    except LookupError:
        text = content.decode("utf-8", "replace")
    try:
        found = list(_records(sample, text, column))
    except (csv.Error, orjson.JSONDecodeError) as error:
        raise ListingInvalid([_wrong(_("样例读不出：%(why)s。") % {"why": type(error).__name__})]) from error
    if not found:
        refuse(_("样例里没有“%(column)s”这一列的记录。") % {"column": column[:80]})
    return found


def _records(sample: Sample, text: str, column: str):
    if sample.format in ("csv", "tsv"):
        delimiter = sample.profile.get("delimiter") or ("\t" if sample.format == "tsv" else ",")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        source = ((_("第 %(line)d 行") % {"line": reader.line_num}, row) for row in reader)
    elif sample.format == "jsonl":
        source = ((_("第 %(line)d 行") % {"line": line}, _loads(row)) for line, row in enumerate(text.splitlines(), 1) if row.strip())
    elif sample.format == "json":
        value = orjson.loads(text)
        if isinstance(value, dict):  # an envelope: its first list holds the records
            value = next((item for item in value.values() if isinstance(item, list)), [])
        value = value if isinstance(value, list) else []
        source = ((_("第 %(number)d 条") % {"number": number}, row) for number, row in enumerate(value, 1))
    else:
        return
    for number, (place, row) in enumerate(source):
        if number >= ROWS:
            return
        if isinstance(row, dict) and (label := _text(row.get(column))).strip():
            shown = [(str(name)[:200], _text(value)[:CELL]) for name, value in row.items() if name is not None and name != column]
            yield Record(place, label.strip()[:LABELS], dict(shown[:CELLS]))


def _loads(row: str):
    try:
        return orjson.loads(row)
    except orjson.JSONDecodeError:
        return None


def _text(value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode() if not isinstance(value, list) or len(value) < 1000 else "…"


def refuse(message: str):
    raise ListingInvalid([_wrong(message)])


def _wrong(message: str) -> dict:
    return {"pointer": "/sample", "code": "sample", "message": message}


@transaction.atomic
def start_audit(dataset: Dataset, *, by: User, sample: Sample, column: str, plan: str = "2-313", by_class: bool = False,
                seed: int | None = None) -> LabelAudit:  # fmt: skip
    """Draw the records and tell the auditors. Where the sample has fewer than the plan asks for, all are taken."""
    require_evaluator(by, dataset.organization_id)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.label_audits.filter(state=State.OPEN).exists():
        raise Conflict(_("这个数据集已有标注核查在进行。"))
    if plan not in acceptance.KEYS:
        raise ListingInvalid([{"pointer": "/plan", "code": "unknown", "message": _("请选择抽样方案。")}])
    if sample.dataset_id != dataset.pk or sample.state != Sample.State.READY:
        raise Conflict(_("这个样例现在不能核查。"))
    accept, size = acceptance.KEYS[plan]
    records = read_records(sample, column)
    seed = secrets.randbits(53) if seed is None else seed
    chosen, shares = _drawn(records, size, seed, by_class)
    is_drawn = SampleDraw.objects.filter(sample=sample, state=SampleDraw.State.VERIFIED).exists()
    row = LabelAudit.objects.create(
        dataset=dataset, source_sha256=sample.sha256, source_name=sample.name, column=column[:200], is_drawn=is_drawn, algorithm=sampling.ALGORITHM,
        seed=seed, accept=accept, size=len(chosen), shares=shares, created_by=by)  # fmt: skip
    numbered = enumerate(chosen, 1)
    rows.insert(AuditItem, [AuditItem(audit=row, position=number, place=one.place, label=one.label, content=one.content) for number, one in numbered])
    trail.append("quality.audit.started", row, actor=by, dataset=dataset.identifier, seed=seed, plan=plan, size=row.size, sample=sample.sha256)
    people = set(valid_experts().exclude(organization=dataset.organization_id).values_list("user_id", flat=True))
    notify(people - {by.pk}, kind="quality.audit", text=_("标注核查待判：“%(title)s”") % {"title": dataset.title}, url=f"/quality/audits/{row.uid}/")
    return row


def _drawn(records: list[Record], size: int, seed: int, by_class: bool) -> tuple[list[Record], dict]:
    """(records in an order of their own, {label: share} where drawn by class). A record is drawn by its content, not by its place."""
    keys = {_key(number, record): record for number, record in enumerate(records)}
    if by_class:
        labels = {key: record.label for key, record in keys.items()}
        paths = sampling.draw_by_stratum(labels, size, seed, least=acceptance.PER_CLASS)
    else:
        paths = sampling.draw(list(keys), size, seed)
    ordered = sorted(paths, key=lambda path: sampling.rank(seed + 1, path))
    shares = sampling.shares([record.label for record in records]) if by_class else {}
    return [keys[path] for path in ordered], shares


def _key(number: int, record: Record) -> str:
    body = orjson.dumps([record.label, record.content], option=orjson.OPT_SORT_KEYS)
    return f"{hashlib.sha256(body).hexdigest()}:{number}"


def may_judge(audit: LabelAudit, user: User) -> bool:
    """Evaluators and valid experts that do not belong to the provider."""
    expert = expert_of(user)
    if not (is_evaluator(user) or (expert and expert.is_valid)):
        return False
    try:
        require_neutral(user, audit.dataset.organization_id)
    except Exception:
        return False
    return True


@transaction.atomic
def judge(audit: LabelAudit, *, position: int, verdict: str, note: str, by: User) -> AuditItem:
    """One label; it may be judged anew by whoever judged it, until the audit is decided. A wrong or unsure one may say why."""
    audit = LabelAudit.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=audit.pk)
    if audit.state != State.OPEN:
        raise Conflict(_("这次核查已经有结论。"))
    if not may_judge(audit, by):
        require_neutral(by, audit.dataset.organization_id)
        raise Conflict(_("只有评测员和登记有效的专家可以核查标注。"))
    item = audit.items.select_for_update().filter(position=position).first()
    if item is None or verdict not in AuditItem.Verdict.values:
        raise ListingInvalid([{"pointer": "/verdict", "code": "required", "message": _("请判正确、错误或拿不准。")}])
    if item.judged_by_id not in (None, by.pk):
        raise Conflict(_("这一条已由别人判过。"))
    item.verdict, item.note, item.judged_by, item.judged_at = verdict, (note or "").strip()[:500], by, timezone.now()
    item.save(update_fields=["verdict", "note", "judged_by", "judged_at"])
    if not audit.items.filter(verdict="").exists():
        _decide(audit)
    return item


def outcome(audit: LabelAudit) -> acceptance.Outcome:
    judged = list(audit.items.exclude(verdict="").values_list("label", "verdict"))
    return acceptance.outcome(judged, accept=audit.accept, drawn=audit.size, shares=audit.shares or None)


def _decide(audit: LabelAudit) -> None:
    found = outcome(audit)
    audit.state = State.ACCEPTED if found.decision == "accept" else State.REJECTED
    people = audit.items.values_list("judged_by", flat=True).order_by().distinct().count()
    audit.result = {"n": found.n, "right": found.right, "wrong": found.wrong, "unsure": found.unsure, "accuracy": f"{found.accuracy:.4f}",
                    "low": f"{found.low:.4f}", "high": f"{found.high:.4f}", "score": f"{found.score:.2f}", "auditors": people}  # fmt: skip
    audit.decided_at = timezone.now()
    audit.save(update_fields=["state", "result", "decided_at"])
    trail.append("quality.audit.decided", audit, label="system", state=audit.state, **audit.result)
    triggers.ask(audit.dataset, "opinions")


@transaction.atomic
def void_audit(audit: LabelAudit, *, by: User, reason: str) -> None:
    require_evaluator(by, audit.dataset.organization_id)
    audit = LabelAudit.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=audit.pk)
    if audit.state == State.VOID:
        raise Conflict(_("这次核查已经作废。"))
    was_open = audit.state == State.OPEN
    audit.state, audit.reason, audit.decided_at = State.VOID, required(reason, "/reason"), timezone.now()
    audit.save(update_fields=["state", "reason", "decided_at"])
    trail.append("quality.audit.void", audit, actor=by, reason=audit.reason)
    if not was_open:
        triggers.ask(audit.dataset, "opinions")
