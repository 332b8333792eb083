"""Decisions of the national portal as they arrive at the home portal of a listing."""

from decimal import Decimal

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.ids import parse_urn
from catalog.models import Dataset
from catalog.services.datasets import project_admission, publish_grade
from catalog.services.review import notify_organization
from federation.models import Decision, Peer
from federation.protocol import Event
from federation.services import receive_acks
from federation.services.apply import Batch, keep_records, park, sort_events
from federation.services.records import Unfit, check_decision

DECISIONS = "decisions"


def apply_decisions(peer: Peer, events, *, release: bool = False, whole: bool = False, damaged: frozenset[str] = frozenset()) -> Batch:
    """Show each decision on the dataset it is about; the listing itself stays as its owner wrote it."""
    batch = sort_events(peer, DECISIONS, [event for event in events if _is_ours(event)], whole=whole, damaged=damaged)
    batch.unchanged += len(events) - sum(map(_is_ours, events))
    datasets = {row.identifier: row for row in Dataset.objects.filter(identifier__in=[event.id for event, _document in batch.puts])}
    outcomes = []
    for event, document in batch.puts:
        try:
            check_decision(document)
            if event.id not in datasets:
                raise Unfit("unknown_dataset", "this portal has no such dataset (any more)")
        except Unfit as error:
            batch.park(event, error.code, str(error))
            continue
        _apply(batch, event, document, datasets[event.id])
        batch.applied += 1
        outcomes.append((event, "applied", "", ""))
    receive_acks.publish(outcomes + [(event, "parked", code, reason) for event, code, reason in batch.parked])
    park(batch)
    return batch


def _is_ours(event: Event) -> bool:
    try:
        return parse_urn(event.id)[0] == settings.PORTAL_ID
    except ValueError:
        return False


def _apply(batch: Batch, event: Event, document: dict, dataset: Dataset) -> None:
    peer = batch.peer
    target = document.get("target", {})
    values = {
        "portal": settings.PORTAL_ID, "kind": document["decision"], "admission": document["admission"], "reason": document.get("reason", ""),
        "grade": document.get("grade"), "target_rev": target.get("rev", 0), "target_hash": target.get("hash", ""),
    }  # fmt: skip
    graded = (document.get("grade") or {}).get("grade", "") if document["decision"] == Decision.Kind.GRADE else ""
    decision, _created = Decision.objects.update_or_create(identifier=event.id, rev=event.rev, defaults=values)
    keep_records(batch, [event])
    if (dataset.admission, dataset.admission_reason) != (decision.admission, decision.reason):
        project_admission(dataset, admission=decision.admission, reason=decision.reason, label=peer.pk)
    elif not graded or graded == dataset.grade:
        graded = None
    if graded is not None:
        text = _("国家门户对“%(title)s”的决定：%(kind)s。%(reason)s") % {
            "title": dataset.title,
            "kind": decision.get_kind_display(),
            "reason": decision.reason or graded,
        }
        notify_organization(dataset, kind=f"decision.{decision.kind}", text=text)
    if decision.grade and decision.grade.get("grade"):
        publish_grade(
            dataset,
            grade=decision.grade["grade"],
            score=Decimal(decision.grade["score"]) if decision.grade.get("score") else None,
            assurance=decision.grade.get("assurance", ""),
            documentation_score=decision.grade.get("documentation_score", dataset.documentation_score),
            source=Dataset.GradeSource.NATIONAL,
        )
