"""Vocabularies and the directory of portals, as the national portal publishes them."""

import datetime
import re

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.exceptions import DomainError
from catalog.models import Portal, Term
from catalog.services import audit
from federation import feeds
from federation.models import Peer, PeerKey, RemoteRecord
from federation.protocol import Event
from federation.services import keys
from federation.services.apply import Batch
from federation.services.documents import apply_each
from federation.services.records import Unfit, check_text
from quality.models import EvaluationScheme
from quality.services import editing, schemes

SCHEME = re.compile(r"[a-z0-9_]{1,40}")
PORTAL = re.compile(r"cn|cn-[0-9]{2,6}|ind-[a-z0-9][a-z0-9-]{0,40}")
STATES = ("active", "pending", "suspended", "revoked")


def apply_vocab(peer: Peer, events, *, release: bool = False, **options) -> Batch:
    """What came changes which records can be read: the parked ones are tried again."""
    from federation import tasks

    batch = apply_each(peer, feeds.VOCAB, events, _write_vocab, **options)
    if batch.applied:
        transaction.on_commit(lambda: tasks.wake(tasks.retry_parked))
    return batch


def _write_vocab(peer: Peer, event: Event, document: dict) -> None:
    effective = document.get("effective_from")
    day = None if effective is None else _date(effective)
    if "evaluation" in document:
        _write_evaluation(document["evaluation"], day)
    elif day is None or day <= timezone.localdate():
        _write_terms(document)
    # terms of a later day are kept as a record; apply_again brings them in when it has come


def _date(text) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except (ValueError, TypeError):
        raise Unfit("invalid", "/effective_from: a date") from None


def _write_evaluation(text, day: datetime.date | None) -> None:
    """A national scheme is here before its day, and comes into force on it like one of our own (quality.services.editing)."""
    try:
        document = orjson.loads(text) if isinstance(text, str) else None
        if not isinstance(document, dict) or day is None or document.get("effective_from") != day.isoformat():
            raise Unfit("shape", "evaluation is a scheme as JSON text, of the day of effective_from")
        scheme = schemes.from_document(document)
    except (DomainError, orjson.JSONDecodeError) as error:
        raise Unfit("invalid", str(error)[:500]) from error
    if scheme.state == EvaluationScheme.State.DRAFT:
        scheme.state = EvaluationScheme.State.WAITING
        scheme.save(update_fields=["state"])
    if scheme.state == EvaluationScheme.State.WAITING and day <= timezone.localdate():
        editing.activate(scheme)


def _write_terms(document: dict) -> None:
    """Terms are added, renamed and switched off; none is ever deleted, as listings name them."""
    scheme, terms = document.get("scheme"), document.get("terms")
    if not isinstance(scheme, str) or not SCHEME.fullmatch(scheme) or not isinstance(terms, list) or len(terms) > 2000:
        raise Unfit("shape", "scheme or terms do not have their form")
    rows = [_term(scheme, item, position) for position, item in enumerate(terms)]
    if len({row.code for row in rows}) != len(rows):
        raise Unfit("invalid", "/terms: a code stands twice")
    names = ["label", "label_en", "position", "data", "version", "is_active"]
    Term.objects.bulk_create(rows, update_conflicts=True, unique_fields=["scheme", "code"], update_fields=names)
    parents = {item["code"]: item["parent"] for item in terms if item.get("parent")}
    if parents:
        known = dict(Term.objects.filter(scheme=scheme).values_list("code", "pk"))
        for code, parent in parents.items():
            if parent not in known or parent == code:
                raise Unfit("invalid", f"/terms: the parent of {code} is not known")
            Term.objects.filter(pk=known[code]).update(parent_id=known[parent])


def _term(scheme: str, item, position: int) -> Term:
    pointer = f"/terms/{position}"
    if not isinstance(item, dict) or not isinstance(item.get("data", {}), dict) or not isinstance(item.get("active", True), bool):
        raise Unfit("invalid", f"{pointer}: an object with code, label, data and active")
    for name, limit in (("code", 64), ("label", 120), ("label_en", 160), ("version", 20), ("parent", 64)):
        check_text(f"{pointer}/{name}", item.get(name, ""), limit)
    place = item.get("position", position)
    if not item.get("code") or not item.get("label") or isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < 2**31:
        raise Unfit("invalid", f"{pointer}: code and label are required, position is a whole number")
    return Term(
        scheme=scheme, code=item["code"], label=item["label"], label_en=item.get("label_en", ""), position=place,
        data=item.get("data", {}), version=item.get("version") or "1", is_active=item.get("active", True),
    )  # fmt: skip


@transaction.atomic
def apply_again(*, only_due: bool = False) -> int:
    """Bring in the vocabularies that were received: after the shipped ones were loaded, or when the day of one has come."""
    count = 0
    for record in RemoteRecord.objects.filter(stream=feeds.VOCAB, op="put", peer__portal__role="national").select_related("peer").order_by("pk"):
        document = orjson.loads(bytes(record.doc or b"{}"))
        day = document.get("effective_from")
        if only_due and not (day and timezone.localdate() - datetime.timedelta(days=2) < _date(day) <= timezone.localdate()):
            continue
        _write_vocab(record.peer, None, document)
        count += 1
    return count


def apply_peers(peer: Peer, events, *, release: bool = False, **options) -> Batch:
    return apply_each(peer, feeds.PEERS, events, _write_peer, **options)


def _write_peer(peer: Peer, event: Event, document: dict) -> None:
    """A portal of the directory: known by name, address and keys. It takes part here only once a person accepts it; what the national
    portal revokes or suspends ends here too."""
    described, state, listed = document.get("portal"), document.get("state"), document.get("keys")
    if not isinstance(described, dict) or state not in STATES or not isinstance(listed, list) or len(listed) > 50:
        raise Unfit("shape", "portal, state or keys do not have their form")
    portal_id = described.get("id")
    if not isinstance(portal_id, str) or not PORTAL.fullmatch(portal_id) or event.id != f"urn:portal:{portal_id}":
        raise Unfit("invalid", "/portal/id: the portal of the identifier")
    for name, limit in (("name", 120), ("short_name", 4), ("base_url", 300)):
        check_text(f"/portal/{name}", described.get(name, ""), limit)
    if described.get("base_url") and not described["base_url"].startswith(("https://", "http://")):
        raise Unfit("invalid", "/portal/base_url: a web address")
    if portal_id in (settings.PORTAL_ID, peer.pk):
        return  # ourselves; and the national portal's own keys come from it directly
    try:
        found = [keys.check_key(item, portal_id) | {"revoked": item.get("revoked") is True} for item in listed]
    except DomainError as error:
        raise Unfit("invalid", f"/keys: {error}") from error
    _keep_peer(portal_id, described, state, found)


def _keep_peer(portal_id: str, described: dict, state: str, found: list[dict]) -> None:
    from federation.services.peers import portal_row

    values = {"name": described.get("name") or portal_id, "short_name": described.get("short_name", ""), "base_url": described.get("base_url", "")}
    other, created = Peer.objects.get_or_create(portal=portal_row(portal_id, values), defaults={"state": Peer.State.KNOWN})
    before = other.state
    if state == "revoked":
        other.state = Peer.State.REVOKED
    elif state == "suspended" and other.state == Peer.State.ACTIVE:
        other.state = Peer.State.SUSPENDED
    elif other.state == Peer.State.REVOKED and state == "active":
        other.state = Peer.State.KNOWN  # enrolled anew; a person decides again
    other.base_url = values["base_url"]
    other.save(update_fields=["state", "base_url"])
    if other.state != before:
        audit.append(f"federation.{other.state}", ("catalog.Portal", portal_id), label="cn")
    gone = [key["keyid"] for key in found if key["revoked"]]
    PeerKey.objects.filter(peer=other, keyid__in=gone).update(state=PeerKey.State.REVOKED)
    keys.store_keys(other, [key for key in found if not key["revoked"]])
    if state == "revoked":
        PeerKey.objects.filter(peer=other).update(state=PeerKey.State.REVOKED)
    Portal.objects.filter(pk=portal_id, is_self=False).update(base_url=values["base_url"])
