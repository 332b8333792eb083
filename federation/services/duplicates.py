"""Finds datasets that two portals list, and does with them what a person decided: merge, link or dismiss. Never silently.

Listings are walked in the order of their last change, apart from the exchange, so that a pull never waits for it.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import rows
from catalog.exceptions import InvalidTransition, ListingInvalid, NotAllowed
from catalog.models import Dataset, User
from catalog.search.text import fold
from catalog.services import audit
from federation.models import Conflict, Decision, DuplicateKey, Scan
from federation.services import decisions
from federation.services.peers import is_national

BATCH = 500
CROWD = 20  # a mark that so many listings bear says nothing (an empty file, a portal's front page)
STRENGTH = [DuplicateKey.Kind.FILE, DuplicateKey.Kind.IDENTIFIER, DuplicateKey.Kind.TITLE]
DOI = re.compile(r"10\.[0-9]{4,9}/[A-Za-z0-9._;()/:-]+")
EMPTY_FILE = hashlib.sha256(b"").hexdigest()


def marks(dataset: Dataset) -> set[tuple[str, str]]:
    """(kind, value) of one dataset with its resources and samples."""
    files = {item.sha256.lower() for item in [*dataset.resources.all(), *dataset.samples.all()] if len(item.sha256 or "") == 64} - {EMPTY_FILE}
    names = {
        found.rstrip(".,;)").lower() for text in (dataset.citation, dataset.landing_page, dataset.source_identifier) for found in DOI.findall(text)
    }
    names |= {_address(url) for url in (dataset.landing_page, *(item.download_url for item in dataset.resources.all())) if url} - {""}
    found = {(DuplicateKey.Kind.FILE, value) for value in files}
    found |= {(DuplicateKey.Kind.IDENTIFIER, hashlib.sha256(name.encode()).hexdigest()) for name in names}
    title, provider = _words(dataset.title), _words(dataset.organization.name)
    if len(title) >= 4 and provider:
        found.add((DuplicateKey.Kind.TITLE, hashlib.sha256(f"{title} {provider}".encode()).hexdigest()))
    return found


def _words(text: str) -> str:
    """Without what two registrars write differently: width, case, traditional forms, spaces and punctuation."""
    return "".join(char for char in fold(unicodedata.normalize("NFKC", text)) if char.isalnum())


def _address(url: str) -> str:
    """Host and path; the front page of a site names no dataset."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/")
    return f"{(parts.hostname or '').removeprefix('www.')}{path}{'?' + parts.query if parts.query else ''}" if path or parts.query else ""


def scan(limit: int = 20_000) -> int:
    """Look at listings changed since the last walk; how many conflicts are new. Only the national portal has listings of all."""
    found = 0
    for _batch in range(0, limit, BATCH):
        count, fresh = _scan_batch()
        found += fresh
        if count < BATCH:
            break
    return found


@transaction.atomic
def _scan_batch() -> tuple[int, int]:
    cursor, _created = Scan.objects.select_for_update().get_or_create(name="duplicates", defaults={"until": datetime(2000, 1, 1, tzinfo=UTC)})
    later = Q(updated_at__gt=cursor.until) | Q(updated_at=cursor.until, pk__gt=cursor.last_pk)
    waiting = Dataset.objects.filter(later, status=Dataset.Status.LISTED).order_by("updated_at", "pk")
    datasets = list(waiting.select_related("organization").prefetch_related("resources", "samples")[:BATCH])
    if not datasets:
        return 0, 0
    found = {dataset.identifier: marks(dataset) for dataset in datasets}
    portals = {dataset.identifier: dataset.home_portal for dataset in datasets}
    DuplicateKey.objects.filter(identifier__in=found).delete()
    keys = [
        DuplicateKey(identifier=identifier, portal=portals[identifier], kind=kind, value=value)
        for identifier, own in found.items()
        for kind, value in own
    ]
    rows.insert(DuplicateKey, keys)
    fresh = _open(_pairs(found, portals))
    cursor.until, cursor.last_pk = datasets[-1].updated_at, datasets[-1].pk
    cursor.save(update_fields=["until", "last_pk"])
    return len(datasets), fresh


def _pairs(found: dict[str, set], portals: dict[str, str]) -> dict[tuple[str, str], set[str]]:
    """Pairs of identifiers of different portals that share a mark, with the kinds of marks."""
    values = {value for own in found.values() for _kind, value in own}
    bearers = defaultdict(list)
    for identifier, portal, kind, value in DuplicateKey.objects.filter(value__in=values).values_list("identifier", "portal", "kind", "value"):
        bearers[kind, value].append((identifier, portal))
    pairs = defaultdict(set)
    for identifier, own in found.items():
        for kind, value in own:
            others = bearers[kind, value]
            if len(others) <= CROWD:
                for other, portal in others:
                    if portal != portals[identifier]:
                        pairs[min(identifier, other), max(identifier, other)].add(kind)
    return pairs


def _open(pairs: dict[tuple[str, str], set[str]]) -> int:
    known = {(row.first, row.second): row for row in Conflict.objects.filter(first__in={first for first, _second in pairs})}
    fresh = []
    for (first, second), kinds in sorted(pairs.items()):
        ordered = [kind for kind in STRENGTH if kind in kinds]
        row = known.get((first, second))
        if row is None:
            fresh.append(Conflict(first=first, second=second, kinds=ordered))
        elif row.state == Conflict.State.OPEN and row.kinds != ordered:
            Conflict.objects.filter(pk=row.pk).update(kinds=ordered)
    if fresh:
        Conflict.objects.bulk_create(fresh)
        audit.append_many([("federation.conflict_found", row, {"first": row.first, "second": row.second, "kinds": row.kinds}) for row in fresh])
    return len(fresh)


@transaction.atomic
def decide(conflict: Conflict, action: str, *, actor: User, keep: str = "", note: str = "") -> Conflict:
    """A person's word. `link`: both stay, each names the other. `merge`: `keep` stays on offer, the other goes back to its portal with the
    reason. `dismiss`: not the same. `reopen`: look again."""
    if not is_national() or not (actor.is_reviewer or actor.is_portal_admin):
        raise NotAllowed(_("只有国家门户的审核员可以处理重复登记。"))
    conflict = Conflict.objects.select_for_update().get(pk=conflict.pk)
    state = {"link": Conflict.State.LINKED, "merge": Conflict.State.MERGED, "dismiss": Conflict.State.DISMISSED, "reopen": Conflict.State.OPEN}.get(
        action
    )
    if state is None or len(note) > 2000:
        raise ListingInvalid([{"pointer": "/action", "code": "unknown", "message": _("请选择合并、关联或不是同一数据集，说明最多 2,000 个字。")}])
    if (conflict.state == Conflict.State.OPEN) == (action == "reopen") or (action == "reopen" and conflict.state == Conflict.State.MERGED):
        raise InvalidTransition(_("这条重复登记现在是“%(state)s”，不能这样处理。") % {"state": conflict.get_state_display()})
    if action == "merge":
        _merge(conflict, keep, actor, note)
    conflict.state, conflict.kept, conflict.note = state, keep if action == "merge" else "", note.strip()
    conflict.decided_by, conflict.decided_at = (None, None) if action == "reopen" else (actor, timezone.now())
    conflict.save()
    audit.append(f"federation.conflict_{action}", conflict, actor=actor, first=conflict.first, second=conflict.second, kept=conflict.kept, note=note)
    return conflict


def _merge(conflict: Conflict, keep: str, actor: User, note: str) -> None:
    if keep not in (conflict.first, conflict.second):
        raise ListingInvalid([{"pointer": "/keep", "code": "required", "message": _("请选择保留哪一个。")}])
    other = conflict.second if keep == conflict.first else conflict.first
    datasets = {row.identifier: row for row in Dataset.objects.filter(identifier__in=[keep, other])}
    if len(datasets) < 2:
        raise InvalidTransition(_("其中一个数据集已不在目录中。"))
    reason = _("与“%(title)s”（%(id)s）重复登记，已合并到该条。%(note)s") % {"title": datasets[keep].title, "id": keep, "note": note}
    decisions.decide(datasets[other], Decision.Kind.RETURN, actor=actor, reason=reason[:2000])


def linked(identifier: str) -> list[str]:
    """Identifiers of listings that a person said are the same dataset."""
    pairs = Conflict.objects.filter(Q(first=identifier) | Q(second=identifier), state=Conflict.State.LINKED).values_list("first", "second")
    return [second if first == identifier else first for first, second in pairs]
