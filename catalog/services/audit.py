"""The hash-chained audit trail: entries are appended inside the business transaction and verified from the first on."""

import hashlib
from collections.abc import Iterable

import orjson
from django.db import connection, transaction
from django.utils import timezone

from catalog import rows
from catalog.models import AuditEntry, User

GENESIS = "0" * 64
CHAIN_LOCK = 0x6A696D75  # PostgreSQL advisory lock; SQLite has one writer anyway


def entry_hash(previous: str, entry: AuditEntry) -> str:
    """sha256(previous hash + canonical JSON of what the entry says)."""
    body = {
        "id": entry.id,
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor": entry.actor_label,
        "action": entry.action,
        "object": [entry.object_type, entry.object_id],
        "data": entry.data,
    }
    return hashlib.sha256(previous.encode() + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def append(action: str, obj, *, actor: User | None = None, label: str = "", **data) -> AuditEntry:
    return append_many([(action, obj, data)], actor=actor, label=label)[0]


def append_many(entries: Iterable[tuple[str, object, dict]], *, actor: User | None = None, label: str = "") -> list[AuditEntry]:
    """Append entries (action, object, data) in one chain. The caller's transaction commits them or none."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit entries are written inside the transaction they tell of")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = AuditEntry.objects.order_by("-id").values_list("id", "entry_hash").first() or (0, GENESIS)
    number, previous, now, chain = *last, timezone.now(), []
    for action, obj, data in entries:
        number += 1
        row = AuditEntry(
            id=number,
            at=now,
            actor=actor,
            actor_label=label or (str(actor.pk) if actor else "system"),
            action=action,
            object_type=obj._meta.label if hasattr(obj, "_meta") else str(obj[0]),
            object_id=str(getattr(obj, "identifier", None) or getattr(obj, "uid", None) or getattr(obj, "pk", None) or obj[1]),
            data=data,
            previous_hash=previous,
        )
        previous = row.entry_hash = entry_hash(previous, row)
        chain.append(row)
    rows.insert(AuditEntry, chain)
    return chain


def verify(*, on_progress=lambda done: None) -> tuple[int, str]:
    """(entries read, "" or a sentence that names the first bad one). Truncation shows only against a root kept elsewhere."""
    previous, expected = GENESIS, 0
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        expected += 1
        if entry.id != expected:
            return expected, f"entry {expected} is missing: the next one found is {entry.id}"
        if entry.previous_hash != previous or entry.entry_hash != entry_hash(previous, entry):
            return expected, f"entry {entry.id} ({entry.action} {entry.object_id}) does not match its hash"
        previous = entry.entry_hash
        on_progress(expected)
    return expected, ""
