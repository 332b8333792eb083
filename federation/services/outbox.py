"""What this portal publishes of its own datasets: Change rows written in the transaction that changed them."""

import logging
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from catalog import rows
from catalog.listing import to_document
from catalog.models import Dataset
from catalog.services import audit
from federation.models import Change
from federation.protocol import MAX_RECORD_BYTES, ProtocolError, canonical, check_size, digest

logger = logging.getLogger(__name__)
LISTINGS = "listings"


def record(datasets: Sequence[Dataset], documents: Mapping[int, dict] | None = None) -> int:
    """Write a put for what is listed, a tombstone for what was and no longer is; nothing when the feed says so already.

    `documents`: see catalog.signals.datasets_changed. The others are read anew, as the objects may hold less than the database.
    """
    due = [dataset for dataset in datasets if not dataset.is_remote and (dataset.status == "listed" or dataset.listed_at)]
    if not due:
        return 0
    known = documents or {}
    found = [(dataset, known[dataset.pk]) for dataset in due if dataset.pk in known] + _read([row.pk for row in due if row.pk not in known])
    last = latest(LISTINGS, [dataset.identifier for dataset, _document in found])
    changes = [change for dataset, document in found if (change := _change(dataset, document, last.get(dataset.identifier)))]
    write(changes)
    return len(changes)


def _read(pks: list[int]) -> list[tuple[Dataset, dict]]:
    found = Dataset.objects.filter(pk__in=pks).select_related("organization").prefetch_related("resources", "samples")
    return [(row, to_document(row)) for row in found] if pks else []


def latest(stream: str, identifiers: Sequence[str], audience: str = "") -> dict[str, Change]:
    found = Change.objects.filter(stream=stream, audience=audience, identifier__in=identifiers).defer("doc").order_by("rev")
    return {row.identifier: row for row in found}


def publish(stream: str, documents: Mapping[str, dict], audience: str = "") -> int:
    """Put documents that are not listings into a feed, by identifier; what the feed says already is left out. How many were written.
    The caller holds the transaction."""
    last = latest(stream, list(documents), audience)
    changes = []
    for identifier, document in documents.items():
        doc = canonical(plain(document))
        if len(doc) > MAX_RECORD_BYTES:
            logger.error("%s is too large for the feed (%d bytes)", identifier, len(doc))
            continue
        before, hash_ = last.get(identifier), digest(doc)
        if before is None or (before.op, before.hash) != (Change.Op.PUT, hash_):
            rev = before.rev + 1 if before else 1
            changes.append(Change(stream=stream, audience=audience, identifier=identifier, op=Change.Op.PUT, rev=rev, hash=hash_, doc=doc))
    write(changes)
    return len(changes)


def write(changes: Sequence[Change]) -> None:
    """Store outbox rows and wake the sequencer once the transaction is committed."""
    if changes:
        rows.insert(Change, changes)
        transaction.on_commit(_wake)


def _wake():
    from federation import tasks

    tasks.wake(tasks.sequence)


def _change(dataset: Dataset, document: dict, last: Change | None) -> Change | None:
    if last is not None and last.op == Change.Op.PURGE:
        return None  # an identifier is never used again
    if dataset.status == Dataset.Status.LISTED and dataset.security_level == Dataset.SecurityLevel.GENERAL:
        op, doc = Change.Op.PUT, listing_bytes(dataset, document)
    elif last is None:
        return None  # never published: drafts, important data (no permit yet) and core data stay here
    else:
        op, doc = Change.Op.DEL, canonical({"reason": dataset.status_reason, "status": dataset.status})
    hash_ = digest(doc)
    if doc is None or (last is not None and (last.op, last.hash) == (op, hash_)):
        return None
    # A counter of the feed, not the dataset's own rev: it grows by one with each published change, so that a gap is an error to notice.
    return Change(stream=LISTINGS, identifier=dataset.identifier, op=op, rev=last.rev + 1 if last else 1, hash=hash_, doc=doc, ts=timezone.now())


def listing_bytes(dataset: Dataset, listing: dict) -> bytes | None:
    """Canonical bytes of what is published of a dataset and its listing document; previews go first when they are too large,
    None when that does not help."""
    document = {"listing": plain(listing), "quality": quality_block(dataset), "status": dataset.status}
    if dataset.admission == Dataset.Admission.TAKEN_DOWN:  # readers of this tier hear of it here: national decisions go to the owner alone
        document["admission"] = dataset.admission
    data = canonical(document)
    if not _fits(data):
        for sample in document["listing"].get("samples", []):
            sample.pop("profile", None)
        data = canonical(document)
    if not _fits(data):
        logger.error("Dataset %s is too large for the feed (%d bytes)", dataset.pk, len(data))
        return None
    return data


def _fits(data: bytes) -> bool:
    try:
        check_size(data)
    except ProtocolError:
        return False
    return len(data) <= MAX_RECORD_BYTES


def quality_block(dataset: Dataset) -> dict:
    """The grade as the owner has it; a grade that came down from the national portal is not sent up again."""
    if dataset.grade_source not in (Dataset.GradeSource.OWN, Dataset.GradeSource.NONE):
        return {}
    block = {"documentation_score": dataset.documentation_score}
    if dataset.grade:
        block |= {"grade": dataset.grade, "assurance": dataset.assurance}
    if dataset.score is not None:
        block["score"] = f"{dataset.score:.2f}"
    return block


def plain(value):
    """Without floats, integers above 2^53 and keys that are not ASCII: those become text, as fed/1 documents hold none."""
    if isinstance(value, dict):
        return {key if key.isascii() else key.encode("unicode_escape").decode(): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > 2**53):
        return str(value)
    return value


@transaction.atomic
def record_purge(dataset: Dataset) -> None:
    """Legal erasure of an own dataset that was published: receivers drop every copy."""
    last = latest(LISTINGS, [dataset.identifier]).get(dataset.identifier)
    if last is None or dataset.is_remote:
        return
    write([Change(stream=LISTINGS, identifier=dataset.identifier, op=Change.Op.PURGE, rev=last.rev + 1, hash=digest(None), doc=None)])


def publish_all() -> int:
    """Bring the outbox in line with every own dataset (after an upgrade, or before the first peer)."""
    count, pks = 0, list(Dataset.objects.own().filter(listed_at__isnull=False).values_list("pk", flat=True))
    for start in range(0, len(pks), 200):
        with transaction.atomic():
            count += record(list(Dataset.objects.filter(pk__in=pks[start : start + 200])))
    if count:
        with transaction.atomic():
            audit.append("federation.published_all", ("federation.FeedState", LISTINGS), count=count)
    return count
