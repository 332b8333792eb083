"""Cases of supervision as one state machine. A step that is not written here is refused; each step is an event and an audit entry."""

import hashlib
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import Dataset, Notification, Organization, User
from catalog.services import audit
from catalog.services.sample_formats import HEAD, detect
from catalog.services.samples import clean_name, delete_on_rollback
from quality.models import Case, CaseEvent
from quality.permissions import is_evaluator, is_supervisor, require_neutral, supervisors

State = Case.State
SUPERVISOR, CONCERNED, REPORTER, SYSTEM = "supervisor", "concerned", "reporter", "system"
# {kind: {state: {next state: who may}}}; the system takes a step when a re-run or a rectification has ended.
FLOW = {
    "spot_check": {
        "drawn": {"rerun": (SUPERVISOR,), "withdrawn": (SUPERVISOR,)},
        "rerun": {"clean": (SYSTEM,), "finding": (SYSTEM,), "withdrawn": (SUPERVISOR,)},
        "finding": {"resolved": (SYSTEM, SUPERVISOR)},
    },
    "appeal": {
        "filed": {"accepted": (SUPERVISOR,), "refused": (SUPERVISOR,), "withdrawn": (CONCERNED,)},
        "accepted": {"reviewing": (SUPERVISOR,), "withdrawn": (CONCERNED,)},
        "reviewing": {"maintained": (SUPERVISOR,), "upheld": (SUPERVISOR,)},
    },
    "rectification": {
        "notified": {"correcting": (CONCERNED, SUPERVISOR)},
        "correcting": {"rechecking": (CONCERNED,), "suspended": (SUPERVISOR,)},
        "rechecking": {"passed": (SUPERVISOR,), "suspended": (SUPERVISOR,), "correcting": (SUPERVISOR,)},
    },
    "remedy": {
        "open": {"working": (CONCERNED,), "declined": (CONCERNED,), "closed": (REPORTER,)},
        "working": {"done": (CONCERNED,)},
        "done": {"closed": (REPORTER,), "working": (REPORTER,)},
        "declined": {"closed": (REPORTER,), "open": (REPORTER,)},
    },
}
FIRST = {"spot_check": State.DRAWN, "appeal": State.FILED, "rectification": State.NOTIFIED, "remedy": State.OPEN}
DAYS = {  # until the next step is due
    "drawn": 14, "rerun": 30, "finding": 15, "filed": 5, "accepted": 5, "reviewing": 30, "notified": 5, "correcting": 30, "rechecking": 15,
    "open": 15, "working": 30, "done": 10, "declined": 10,
}  # fmt: skip
ATTACHMENT_LIMIT = 10 * 2**20
REASON_LIMIT = 4000


@transaction.atomic
def open_case(kind: str, *, organization: Organization, statement: str, actor: User | None, attachment=None, due_at=None, **fields) -> Case:
    """`actor` None is the portal's own schedule. Who may open which case is decided by the service of that kind."""
    statement = required(statement, "/statement")
    case = Case(kind=kind, state=FIRST[kind], organization=organization, statement=statement, opened_by=actor, **fields)
    case.due_at = due_at or in_days(DAYS[case.state])
    case.save()
    _record(case, before="", actor=actor, reason=statement, attachment=attachment)
    _tell(case, actor)
    return case


@transaction.atomic
def move(case: Case, to: str, *, actor: User | None, reason: str, attachment=None, due_at: datetime | None = None, result: str = "", **data) -> Case:
    """Take one step. InvalidTransition where the flow has none, NotAllowed for whoever it is not for, ListingInvalid without a reason."""
    case = locked(case)
    allowed = FLOW[case.kind].get(case.state, {}).get(to)
    if allowed is None:
        known = dict(State.choices)
        raise InvalidTransition(_("“%(before)s”之后不能是“%(after)s”。") % {"before": case.get_state_display(), "after": known.get(to, to)})
    _require(case, allowed, actor)
    if case.kind == "rectification" and (case.state, to) == ("correcting", "suspended") and not case.is_overdue:
        raise InvalidTransition(_("整改期限还没有到，不能暂停资格。"))
    reason = required(reason, "/reason")
    before, case.state = case.state, to
    case.due_at = None if case.is_ended else due_at or in_days(DAYS[to])
    case.closed_at, case.warned_at = timezone.now() if case.is_ended else None, None
    case.result = result or (reason if case.is_ended else case.result)
    case.data |= data
    case.save()
    _record(case, before=before, actor=actor, reason=reason, attachment=attachment)
    _tell(case, actor)
    return case


def locked(case: Case) -> Case:
    return Case.objects.select_for_update(of=("self",)).select_related("organization", "dataset").get(pk=case.pk)


def steps(case: Case, user) -> list[str]:
    """Next states that this user may bring about; the system's are not among them."""
    found = []
    for to, allowed in FLOW[case.kind].get(case.state, {}).items():
        try:
            _require(case, allowed, user)
        except NotAllowed:
            continue
        if (case.kind, case.state, to) != ("rectification", "correcting", "suspended") or case.is_overdue:
            found.append(to)
    return found


def is_party(case: Case, user) -> bool:
    """Sees everything of a case: supervisors and evaluators, the organisation concerned, whoever opened it."""
    if not user.is_authenticated:
        return False
    return is_evaluator(user) or case.organization_id in user.organization_ids() or case.opened_by_id == user.pk


def _require(case: Case, allowed: tuple, actor: User | None) -> None:
    if actor is None:
        if SYSTEM not in allowed:
            raise NotAllowed(_("这一步要由人来做。"))
        return
    if CONCERNED in allowed and case.organization_id in actor.organization_ids("owner", "editor"):
        return
    if REPORTER in allowed and (actor.pk == case.opened_by_id or (case.feedback and case.feedback.author_id == actor.pk) or is_evaluator(actor)):
        require_neutral(actor, case.organization_id)
        return
    if SUPERVISOR in allowed and is_supervisor(actor):
        require_neutral(actor, case.organization_id, case.dataset.organization_id if case.dataset else None)
        return
    raise NotAllowed(_("这一步不由您来做。"))


def required(text: str, pointer: str) -> str:
    text = (text or "").strip()
    if not text:
        raise ListingInvalid([{"pointer": pointer, "code": "required", "message": _("请写明理由。")}])
    if len(text) > REASON_LIMIT:
        raise ListingInvalid([{"pointer": pointer, "code": "too_long", "message": _("内容最多 4000 个字。")}])
    return text


def in_days(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def _record(case: Case, *, before: str, actor: User | None, reason: str, attachment=None) -> CaseEvent:
    digest = {}
    event = CaseEvent(case=case, at=timezone.now(), actor=actor, before=before, after=case.state, reason=reason)
    if attachment:
        _attach(event, attachment)
        digest = {"attachment": event.attachment_sha256}
    entry = audit.append(f"quality.{case.kind}.{case.state}", case, actor=actor, before=before, after=case.state, reason=reason, **digest)
    event.audit_id = entry.id
    event.save()
    return event


def _attach(event: CaseEvent, upload) -> None:
    """Kept under a name of the portal's own; only what may be a sample may be attached, and no more than 10 MB."""
    name = clean_name(upload.name)
    if upload.size > ATTACHMENT_LIMIT:
        raise ListingInvalid([{"pointer": "/attachment", "code": "too_large", "message": _("附件超过 %(limit)d MB。") % {"limit": 10}}])
    upload.seek(0)
    head = upload.read(HEAD)
    detect(name, head)
    upload.seek(0)
    event.attachment_name, event.attachment_sha256 = name, hashlib.sha256(upload.read()).hexdigest()
    upload.seek(0)
    event.attachment.save(name, upload, save=False)
    delete_on_rollback(event.attachment.storage, event.attachment.name)


def _tell(case: Case, actor: User | None) -> None:
    """The organisation concerned, whoever opened it, and the supervisors, but not the one who acted."""
    text = _("%(kind)s %(number)s：%(state)s") % {"kind": case.get_kind_display(), "number": case.number, "state": case.get_state_display()}
    if case.dataset:
        text += _("，“%(title)s”") % {"title": case.dataset.title}
    people = set(case.organization.memberships.exclude(role="viewer").values_list("user_id", flat=True))
    people |= {case.opened_by_id} | set(supervisors().values_list("pk", flat=True) if case.kind != "remedy" else ())
    notify(people - {None, actor.pk if actor else None}, kind=f"quality.{case.kind}", text=text, url=f"/quality/cases/{case.uid}/")


def notify(people, *, kind: str, text: str, url: str) -> None:
    Notification.objects.bulk_create([Notification(user_id=pk, kind=kind, text=text[:500], url=url) for pk in sorted(people)])


def warn_overdue() -> int:
    """Tell of each deadline that has passed, once; the number of cases told of. Running it twice does no harm."""
    late = Case.objects.exclude(state__in=Case.ENDED).filter(due_at__lt=timezone.now(), warned_at=None)
    count = 0
    for pk in late.values_list("pk", flat=True):
        with transaction.atomic():
            case = locked(Case(pk=pk))
            if case.is_overdue and case.warned_at is None:
                Case.objects.filter(pk=pk).update(warned_at=timezone.now())
                text = _("%(kind)s %(number)s 已经逾期：%(state)s") % {
                    "kind": case.get_kind_display(), "number": case.number, "state": case.get_state_display()}  # fmt: skip
                people = set(supervisors().values_list("pk", flat=True))
                people |= set(case.organization.memberships.exclude(role="viewer").values_list("user_id", flat=True))
                notify(people, kind="quality.overdue", text=text, url=f"/quality/cases/{case.uid}/")
                audit.append("quality.case.overdue", case, label="system", state=case.state)
                count += 1
    return count


def dataset_open_appeal(dataset: Dataset) -> Case | None:
    return dataset.quality_cases.filter(kind="appeal", state__in=["filed", "accepted", "reviewing"]).first()
