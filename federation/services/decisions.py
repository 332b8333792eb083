"""National decisions: admit, return, take down, restore, grade. A decision never edits the listing; it is a record of its own.

The document that travels states everything decided so far (admission, reason, grade), so a reader who sees only the
latest one is right, and a takedown stands until a restore (I7).
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import rows
from catalog.exceptions import InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import Dataset, Review, User
from catalog.services import audit
from catalog.services.datasets import project_admission
from federation.models import Change, Decision, Delivery, RemoteRecord
from federation.models.peers import LATE
from federation.protocol import canonical, digest
from federation.services import outbox
from federation.services.peers import is_national

DECISIONS = "decisions"
Kind, Admission = Decision.Kind, Dataset.Admission
# kind: (admission after it, admissions it may start from)
RULES = {
    Kind.ADMIT: (Admission.ADMITTED, (Admission.NONE, Admission.PENDING, Admission.RETURNED)),
    Kind.RETURN: (Admission.RETURNED, (Admission.NONE, Admission.PENDING, Admission.ADMITTED)),
    Kind.TAKEDOWN: (Admission.TAKEN_DOWN, (Admission.NONE, Admission.PENDING, Admission.ADMITTED, Admission.RETURNED)),
    Kind.RESTORE: (Admission.ADMITTED, (Admission.TAKEN_DOWN,)),
}
GRADE = ("grade", "score", "assurance", "documentation_score")


@transaction.atomic
def decide(dataset: Dataset, kind: str, *, actor: User, reason: str = "") -> Decision:
    """One national decision, shown here at once and sent to the home portal. Refused where the state does not allow it."""
    if not is_national():
        raise NotAllowed(_("只有国家门户可以作出国家决定。"))
    if not (actor.is_reviewer or actor.is_portal_admin):
        raise NotAllowed(_("只有审核员可以作出国家决定。"))
    admission, allowed = RULES[kind]
    reason = reason.strip()
    if kind in (Kind.TAKEDOWN, Kind.RETURN) and not reason:
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明理由，来源门户会看到。")}])
    if len(reason) > 2000:
        raise ListingInvalid([{"pointer": "/reason", "code": "too_long", "message": _("理由最多 2,000 个字。")}])
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.admission not in allowed:
        raise InvalidTransition(
            _("“%(title)s”现在是“%(state)s”，不能%(kind)s。")
            % {"title": dataset.title, "state": dataset.get_admission_display(), "kind": Kind(kind).label}
        )
    if not dataset.is_remote and kind == Kind.RESTORE:
        admission = Admission.NONE  # the national portal's own listings need no admission
    (decision,) = issue([dataset], kind, admission=admission, reason=reason, actor=actor)
    project_admission(dataset, admission=admission, reason=reason, label=str(actor.pk))
    _close_review(dataset, kind, actor, reason)
    return decision


def take_down(dataset: Dataset, *, actor: User, reason: str) -> Decision:
    return decide(dataset, Kind.TAKEDOWN, actor=actor, reason=reason)


def restore(dataset: Dataset, *, actor: User, reason: str = "") -> Decision:
    return decide(dataset, Kind.RESTORE, actor=actor, reason=reason)


def latest(identifiers: Sequence[str]) -> dict[str, Decision]:
    rows = Decision.objects.filter(identifier__in=identifiers).order_by("rev")
    return {row.identifier: row for row in rows}


def issue(
    datasets: Sequence[Dataset],
    kind: str,
    *,
    admission: str | None = None,
    reason: str = "",
    actor: User | None = None,
    before: dict[str, Decision] | None = None,
) -> list[Decision]:
    """Write decisions with their outbox rows; the caller holds the transaction and shows them. admission None keeps the last.
    `before`: the latest decisions, where the caller has read them in this transaction."""
    if before is None:
        before = latest([dataset.identifier for dataset in datasets])
    hashes = dict(
        RemoteRecord.objects.filter(stream="listings", identifier__in=[dataset.identifier for dataset in datasets]).values_list("identifier", "hash")
    )
    found = []
    for dataset in datasets:
        last = before.get(dataset.identifier)
        row = Decision(identifier=dataset.identifier, portal=dataset.home_portal, kind=kind, actor=actor, reason=reason)
        row.rev = last.rev + 1 if last else 1
        row.admission = admission if admission is not None else (last.admission if last else dataset.admission)
        row.target_rev, row.target_hash = dataset.rev, hashes.get(dataset.identifier, dataset.document_hash)
        row.grade = grade_block(dataset) if kind == Kind.GRADE else (last.grade if last else None)
        row.reason = reason or (last.reason if last and kind == Kind.GRADE else "")
        found.append(row)
    changes = {row.identifier: _change(row) for row in found if row.portal != settings.PORTAL_ID}
    outbox.write(list(changes.values()))
    for row in found:
        row.change = changes.get(row.identifier)
    rows.insert(Decision, found)
    audit.append_many([(f"decision.{kind}", row, {"rev": row.rev, "target_rev": row.target_rev, "reason": reason}) for row in found], actor=actor)
    return found


def grade_block(dataset: Dataset) -> dict:
    values = {name: getattr(dataset, name) for name in GRADE}
    return values | {"score": f"{dataset.score:.2f}" if dataset.score is not None else ""}


def _change(row: Decision) -> Change:
    document = {
        "admission": row.admission,
        "decided_at": row.decided_at.isoformat(timespec="seconds"),
        "decision": row.kind,
        "reason": row.reason,
        "target": {"hash": row.target_hash, "rev": row.target_rev},
    }
    if row.grade:
        document["grade"] = row.grade
    doc = canonical(document)
    return Change(
        stream=DECISIONS, audience=row.portal, identifier=row.identifier, op="put", rev=row.rev, hash=digest(doc), doc=doc, ts=row.decided_at
    )


def _close_review(dataset, kind, actor, reason):
    state = Review.State.APPROVED if kind in (Kind.ADMIT, Kind.RESTORE) else Review.State.RETURNED
    dataset.reviews.filter(kind=Review.Kind.NATIONAL, state__in=Review.OPEN_STATES).update(
        state=state, decided_by=actor, decided_at=timezone.now(), reason=reason
    )


def follow_review(review: Review) -> None:
    """A national review that was decided at the desk becomes a decision."""
    kind = Kind.ADMIT if review.state == Review.State.APPROVED else Kind.RETURN
    if review.dataset.admission in RULES[kind][1]:
        decide(review.dataset, kind, actor=review.decided_by, reason=review.reason or (_("未说明") if kind == Kind.RETURN else ""))


def record_grades(datasets: Sequence[Dataset]) -> None:
    """A grade the national portal gave to a listing of another portal travels down; the same grade twice does not."""
    graded = [row for row in datasets if row.is_remote and row.grade_source == Dataset.GradeSource.NATIONAL] if is_national() else []
    if graded:
        before = latest([dataset.identifier for dataset in graded])
        news = [row for row in graded if row.identifier not in before or before[row.identifier].grade != grade_block(row)]
        if news:
            issue(news, Kind.GRADE)


def acknowledged(rows: Sequence[Decision]) -> dict[int, bool | None]:
    """By decision: True applied (or told why not) at the home portal, False not yet, None where nobody has to (the portal's own).
    Its acknowledgement of the feed counts as well, as portals of version 1.0 send no other."""
    seen = {delivery.peer_id: delivery.seq for delivery in Delivery.objects.filter(stream=DECISIONS)}
    numbers = dict(Change.objects.filter(pk__in=[row.change_id for row in rows if row.change_id]).values_list("pk", "seq"))

    def by_feed(row):
        return bool(numbers.get(row.change_id)) and numbers[row.change_id] <= seen.get(row.portal, 0)

    return {row.pk: None if not row.change_id else bool(row.acknowledged_at) or by_feed(row) for row in rows}


def overdue(after: timedelta = LATE) -> list[Decision]:
    """Decisions that a home portal has not acknowledged in time, oldest first: an alarm. Overtaken ones do not count."""
    rows = Decision.objects.filter(acknowledged_at=None, decided_at__lt=timezone.now() - after, change__isnull=False, change__superseded_by=None)
    found = list(rows.select_related("change").order_by("decided_at")[:1000])
    seen = acknowledged(found)
    return [row for row in found if seen[row.pk] is False]
