"""How a listing that arrives stands here: by the latest decision, by the trust in its portal, and by whether it changed so much that the
decision no longer speaks of it.

A decision is bound to the revision and hash that was looked at. An admission given by a person lapses when the listing changes
materially: it waits for a review again, and a decision says so to its portal. A takedown never lapses (I7).
"""

from datetime import timedelta

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import rows
from catalog.models import Dataset, Review
from federation import feeds
from federation.models import Decision, Peer, RemoteRecord
from federation.protocol import Event
from federation.services import decisions
from federation.services.peers import is_national

Admission = Dataset.Admission
# What a reviewer looked at. The other statements (contact, keywords, citation, counts that grow …) may change under an admission.
MATERIAL = """title security_level has_personal_information deidentification rights_holder rights_basis rights_evidence license_type license
allowed_scenarios allowed_scope openness access_method sectors modalities source_types collection_method is_synthetic synthetic_method
has_holding_right has_processing_right has_operating_right""".split()


def material(listing: dict) -> dict:
    """The part of a listing that a decision is about: the statements above, who provides it, and which files it names."""
    found = {name: listing[name] for name in MATERIAL if listing.get(name)}
    found["organization"] = (listing.get("organization") or {}).get("uid")
    for name in ("resources", "samples"):
        items = listing.get(name) or []
        found[name] = sorted((item.get("sha256") or item.get("download_url") or item.get("access_url") or item.get("name") or "") for item in items)
    return found


class Standing:
    """Of the listings of one page; made before they are written, as it reads what was there."""

    def __init__(self, peer: Peer, puts: list[tuple[Event, dict]]):
        self.peer, self.identifiers = peer, [event.id for event, _document in puts]
        self.decided = decisions.latest(self.identifiers)
        self.before = dict(Dataset.objects.filter(identifier__in=self.identifiers).values_list("identifier", "admission"))
        self.lapsed = self._lapsed(puts)

    def _lapsed(self, puts) -> set[str]:
        bound = {
            identifier
            for identifier, decision in self.decided.items()
            if decision.admission == Admission.ADMITTED and decision.kind in (Decision.Kind.ADMIT, Decision.Kind.RESTORE, Decision.Kind.GRADE)
        }
        if self.peer.trusted or not bound:
            return set()
        records = RemoteRecord.objects.filter(peer=self.peer, stream=feeds.LISTINGS, op="put", identifier__in=bound)
        old = {identifier: bytes(doc or b"{}") for identifier, doc in records.values_list("identifier", "doc")}
        return {event.id for event, document in puts if event.id in old and _changed(old[event.id], document)}

    def of(self, event: Event, document: dict) -> str:
        """I7: the latest decision holds; a listing returned to its portal waits again once it has changed. A portal of this tier says
        itself what the national portal took down; the national portal goes by its own decisions alone."""
        if not is_national() and document.get("admission") == Admission.TAKEN_DOWN:
            return Admission.TAKEN_DOWN
        last = self.decided.get(event.id)
        if last and last.admission and last.admission != Admission.RETURNED and event.id not in self.lapsed:
            return last.admission
        return Admission.ADMITTED if self.peer.trusted else Admission.PENDING

    def open(self, datasets: list[Dataset]) -> None:
        """Admit what a trusted portal brings, with a decision that travels; queue the rest for a national review."""
        undecided = [row for row in datasets if row.identifier not in self.decided or self.decided[row.identifier].admission in ("", "returned")]
        if self.peer.trusted:
            decisions.issue(undecided, Decision.Kind.ADMIT, admission=Admission.ADMITTED, before=self.decided)
            return
        lapsed = [row for row in datasets if row.identifier in self.lapsed]
        if lapsed:
            Decision.objects.filter(pk__in=[self.decided[row.identifier].pk for row in lapsed]).update(lapsed_at=timezone.now())
            reason = _("登记内容有实质变化，原决定不再适用，等待重新审核。")
            decisions.issue(lapsed, Decision.Kind.LAPSE, admission=Admission.PENDING, reason=reason, before=self.decided)
        waiting = [row for row in undecided if row.admission == Admission.PENDING and self.before.get(row.identifier) != Admission.PENDING] + lapsed
        busy = set(Review.objects.filter(dataset__in=waiting, state__in=Review.OPEN_STATES).values_list("dataset_id", flat=True))
        due = timezone.now() + timedelta(days=settings.PORTAL_REVIEW_DAYS)
        rows.insert(Review, [Review(dataset=row, kind=Review.Kind.NATIONAL, due_at=due) for row in waiting if row.pk not in busy])


def _changed(old: bytes, document: dict) -> bool:
    return material(orjson.loads(old).get("listing") or {}) != material(document["listing"])
