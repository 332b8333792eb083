"""What the national portal publishes for all: vocabularies, evaluation schemes, and the directory of portals with their keys."""

from collections.abc import Iterable, Sequence

import orjson
from django.db import transaction

from catalog.models import Term
from federation import feeds
from federation.models import Peer
from federation.services import keys, outbox
from federation.services.peers import is_national, own_document
from quality.models import EvaluationScheme
from quality.services import schemes

TERMS = 500  # of one document


@transaction.atomic
def publish_reference() -> int:
    """Bring both feeds in line with what stands here; how many documents changed. 0 at any other portal."""
    if not is_national():
        return 0
    return publish_vocabularies() + publish_directory()


def publish_vocabularies() -> int:
    return outbox.publish(feeds.VOCAB, {**_term_documents(), **_scheme_documents()})


def _term_documents() -> dict[str, dict]:
    schemes: dict[str, list] = {}
    for term in Term.objects.select_related("parent").order_by("scheme", "position", "code"):
        schemes.setdefault(term.scheme, []).append(_term(term))
    documents = {}
    for scheme, terms in schemes.items():
        for part in range(0, len(terms), TERMS):
            documents[f"urn:vocab:cn:{scheme}:{part // TERMS}"] = {"scheme": scheme, "terms": terms[part : part + TERMS]}
    return documents


def _term(term: Term) -> dict:
    values = {"code": term.code, "label": term.label, "label_en": term.label_en, "position": term.position, "version": term.version}
    values |= {"active": term.is_active, "data": term.data}
    return values | ({"parent": term.parent.code} if term.parent else {})


def _scheme_documents() -> dict[str, dict]:
    """Schemes in force or coming into force, as JSON text: their weights and bands may be fractions, which documents of fed/1 do not hold."""
    rows = EvaluationScheme.objects.filter(state__in=[EvaluationScheme.State.WAITING, EvaluationScheme.State.ACTIVE]).prefetch_related("profiles")
    return {
        f"urn:scheme:cn:{row.version}": {
            "evaluation": orjson.dumps(schemes.to_document(row), option=orjson.OPT_SORT_KEYS).decode(),
            "version": row.version,
            "effective_from": row.effective_from.isoformat(),
        }
        for row in rows.order_by("pk")
        if row.version.isascii() and row.version.isprintable() and " " not in row.version
    }


def publish_directory(portal_ids: Sequence[str] | None = None) -> int:
    """Every portal that takes or took part, and this one; or only those named."""
    rows = Peer.objects.exclude(state=Peer.State.INVITED).select_related("portal").prefetch_related("keys")
    rows = rows if portal_ids is None else rows.filter(pk__in=portal_ids)
    documents = {f"urn:portal:{row.pk}": _peer(row) for row in rows}
    if portal_ids is None:
        documents["urn:portal:cn"] = _own()
    return outbox.publish(feeds.PEERS, documents)


def _peer(peer: Peer) -> dict:
    portal = peer.portal
    described = {"id": peer.pk, "name": portal.name, "short_name": portal.short_name, "role": portal.role, "base_url": peer.base_url}
    return {"portal": described, "state": _state(peer), "keys": [_key(row) for row in sorted(peer.keys.all(), key=lambda row: row.keyid)]}


def _state(peer: Peer) -> str:
    """Whether the others should speak with it: trouble that only concerns the national portal is no reason not to."""
    return peer.state if peer.state in (Peer.State.PENDING, Peer.State.SUSPENDED, Peer.State.REVOKED) else Peer.State.ACTIVE


def _key(row) -> dict:
    return keys.key_document(row) | ({"revoked": True} if row.state == row.State.REVOKED else {})


def _own() -> dict:
    return {"portal": own_document() | {"role": "national"}, "state": "active", "keys": sorted(keys.public_keys(), key=lambda key: key["keyid"])}


def tell(portal_ids: Iterable[str]) -> None:
    """In the transaction that changed a portal's state or keys: the directory says so too."""
    if is_national():
        publish_directory(list(portal_ids))
