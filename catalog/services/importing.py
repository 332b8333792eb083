"""Import of foreign catalogues: parsed records to datasets of this portal, in batches, each in one transaction.

Used by `manage.py import_catalog`, the registration pages and the bulk API. Importing the same source again changes
nothing; a kill in the middle leaves whole batches, and the next run ends in the same state as one run.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import rows
from catalog.ids import dataset_urn, new_uid
from catalog.interchange.parsed import Parsed, RecordError
from catalog.listing import FIELDS, RESOURCE_FIELDS, assign, canonical, digest, resource_document, to_document
from catalog.models import CheckResult, Dataset, ImportRecord, Organization, Resource, Review, User
from catalog.services import audit, checks
from catalog.services.merging import merged, resource_rows
from catalog.services.publication import count_change, tell
from catalog.services.versions import record_versions

logger = logging.getLogger(__name__)
BATCH = 500
ERRORS_KEPT = 10_000  # of the report; the numbers count all
UNNAMED = "未注明提供方"
FROZEN = (Dataset.Status.DELISTED, Dataset.Status.REJECTED)


@dataclass
class Report:
    """The numbers of PRODUCT.md "Commands"; `codes` counts gaps by field and kind, `sources` tells of each file."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    warnings: int = 0
    errors: list[dict] = field(default_factory=list)
    codes: Counter = field(default_factory=Counter)
    sources: list[dict] = field(default_factory=list)

    @property
    def records(self) -> int:
        return self.created + self.updated + self.unchanged + self.rejected

    def reject(self, record, code, message, pointer="", source="") -> None:
        self.rejected += 1
        self.note(record, code, message, pointer, source)

    def note(self, record, code, message, pointer="", source="") -> None:
        if len(self.errors) < ERRORS_KEPT:
            entry = {"record": record, "pointer": pointer, "code": code, "message": str(message)}
            self.errors.append(entry | ({"source": source} if source else {}))

    def as_dict(self) -> dict:
        names = ("created", "updated", "unchanged", "rejected", "warnings", "errors")
        return {name: getattr(self, name) for name in names} | {"warning_codes": dict(self.codes.most_common()), "sources": self.sources}


def import_records(
    source: Iterable[Parsed],
    *,
    user: User | None = None,
    organization: Organization | None = None,
    status: str = Dataset.Status.LISTED,
    dry_run: bool = False,
    name: str = "",
    batch_size: int = BATCH,
    report: Report | None = None,
    on_batch: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Store the records of read_catalog(). `name` identifies the source from one run to the next (file name, address).

    `organization` is the provider of every record; without it each record's own publisher is, made here where it is new.
    `status` of new datasets: draft, submitted (opens a review) or listed; datasets that exist keep theirs.
    """
    if status not in (Dataset.Status.DRAFT, Dataset.Status.SUBMITTED, Dataset.Status.LISTED):
        raise ValueError(f"status {status!r} is none of draft, submitted, listed")
    run = _Run(user, organization, status, dry_run, name, report or Report())
    for batch in _batches(source, batch_size):
        run.store(batch)
        on_batch(run.report)
    return run.report


def _batches(source: Iterable[Parsed], size: int) -> Iterator[list[Parsed]]:
    iterator = iter(source)
    while batch := list(islice(iterator, size)):
        yield batch


def content_digest(parsed: Parsed) -> str:
    body = parsed.document | {"organization": parsed.organization}
    return hashlib.sha256(canonical(body)).hexdigest()[:32]


def made_identifier(title: str, publisher: str, mark: str = "") -> str:
    """A stable identifier of a record that has none: from title and publisher, and what tells twins apart."""
    said = "\n".join([title, publisher, mark] if mark else [title, publisher])
    return "made:" + hashlib.sha256(said.encode()).hexdigest()[:32]


class _Run:
    """One import: what was seen in this source, the organizations met, and the numbers."""

    def __init__(self, user, organization, status, dry_run, name, report):
        self.user, self.organization, self.status, self.dry_run, self.report = user, organization, status, dry_run, report
        self.name = name[-300:]
        self.codes = checks.active_codes()
        self.seen: dict[bytes, str] = {}  # key of (provider, identifier) to content
        self.providers: dict[str, Organization] = {}

    def store(self, batch: list[Parsed]) -> None:
        wanted = [item for parsed in batch if (item := self._accepted(parsed))]
        if not wanted:
            return
        if self.dry_run:
            self._sort(wanted)
            return
        before = (self.report.created, self.report.updated, self.report.unchanged)
        try:
            with transaction.atomic():
                self._write(wanted)
        except BaseException:
            # Organizations made in this transaction are gone with it.
            self.providers.clear()
            self.report.created, self.report.updated, self.report.unchanged = before
            raise

    # --- before the database
    def _accepted(self, parsed: Parsed) -> Parsed | None:
        report = self.report
        label = parsed.label
        if parsed.error is None:
            parsed.error = self._problem(parsed)
        if isinstance(parsed.error, _Equal):
            report.unchanged += 1
            return None
        if parsed.error is not None:
            report.reject(label, parsed.error.code, parsed.error.message, parsed.error.pointer, parsed.source or self.name)
            return None
        report.warnings += len(parsed.gaps)
        report.codes.update(f"{gap.pointer} {gap.code}" for gap in parsed.gaps)
        return parsed

    def _problem(self, parsed: Parsed) -> RecordError | None:
        document = parsed.document
        if not parsed.organization.get("name"):
            parsed.organization = {"name": UNNAMED, "kind": "enterprise"}
        provider = self.organization.name if self.organization else parsed.organization["name"]
        if found := checks.shape_errors(document, codes=self.codes):
            first = found[0]
            return RecordError(first["code"], first["message"], first["pointer"])
        level = document.get("security_level")
        if level == "core":
            return RecordError("core_data", _("核心数据不得进入门户（GB/T 43697-2024）。"), "/security_level")
        if level == "important" and self.status == Dataset.Status.LISTED:
            return RecordError("needs_review", _("重要数据要经两人审核才能上架，请用 --status submitted 导入。"), "/security_level")
        return self._identify(parsed, provider)

    def _identify(self, parsed: Parsed, provider: str) -> RecordError | None:
        """Give the record its identifier; a second one with the same identifier must be equal, or it is refused."""
        document = parsed.document
        content = hashlib.sha256(canonical({name: value for name, value in document.items() if name != "extras"})).hexdigest()[:32]
        own = document.get("source_identifier")
        document["source_identifier"] = own or made_identifier(document["title"], provider)
        known = self.seen.get(_key(provider, document["source_identifier"]))
        if known is not None and known != content and not own and parsed.mark:
            document["source_identifier"] = made_identifier(document["title"], provider, parsed.mark)
            known = self.seen.get(_key(provider, document["source_identifier"]))
        if known is None:
            self.seen[_key(provider, document["source_identifier"])] = content
            return None
        if known == content:
            return _Equal()
        what = _("标识 %(identifier)s") % {"identifier": own[:80]} if own else _("名称“%(title)s”") % {"title": document["title"][:80]}
        message = _("与同一来源中前面的记录重复：同一提供方“%(provider)s”，同一%(what)s，内容不同；保留第一条。")
        return RecordError("duplicate", message % {"provider": provider, "what": what}, "/identifier")

    # --- with the database
    def _provider_of(self, parsed: Parsed) -> str:
        return self.organization.name if self.organization else parsed.organization["name"]

    def _existing(self, wanted: list[Parsed]) -> dict[tuple[str, str], int]:
        """{(provider, identifier): primary key} of this portal."""
        found = Dataset.objects.own().filter(
            source_identifier__in=[parsed.document["source_identifier"] for parsed in wanted],
            organization__name__in={self._provider_of(parsed) for parsed in wanted},
        )
        return {(provider, identifier): pk for pk, provider, identifier in found.values_list("pk", "organization__name", "source_identifier")}

    def _rows(self, pks: list[int]) -> dict[int, Dataset]:
        """Datasets with what there is to compare, nobody else's to change until this transaction ends."""
        found = Dataset.objects.filter(pk__in=pks).select_related("organization").prefetch_related("resources", "samples")
        return (found if self.dry_run else found.select_for_update(of=("self",))).in_bulk() if pks else {}

    def _sort(self, wanted):
        """(new, changed, unchanged but new to this source) of a batch, counted. Writes nothing."""
        existing = self._existing(wanted)
        records = ImportRecord.objects.filter(source=self.name, dataset__in=existing.values())
        last = {pk: (digest, fields) for pk, digest, fields in records.values_list("dataset", "digest", "fields")}
        fresh, met = [], []
        for parsed in wanted:
            parsed.digest = content_digest(parsed)
            pk = existing.get((self._provider_of(parsed), parsed.document["source_identifier"]))
            if pk is None:
                fresh.append(parsed)
            elif pk in last and last[pk][0] == parsed.digest:
                self.report.unchanged += 1
            else:
                met.append((pk, parsed))
        changed, known = self._compare(met, last)
        self.report.created += len(fresh)
        return fresh, changed, known

    def _compare(self, met: list[tuple[int, Parsed]], last: dict):
        known_rows = self._rows([pk for pk, _parsed in met])
        changed, known = [], []
        for pk, parsed in met:
            if difference := self._difference(known_rows[pk], parsed, last[pk][1] if pk in last else []):
                changed.append((known_rows[pk], parsed, difference))
            else:
                known.append((known_rows[pk], parsed))
        self.report.updated += len(changed)
        self.report.unchanged += len(known)
        return changed, known

    def _difference(self, row: Dataset, parsed: Parsed, before: list[str]) -> dict | None:
        """The document the row would get, or None where nothing changes."""
        if row.status in FROZEN:
            self.report.warnings += 1
            self.report.codes["/status delisted"] += 1
            return None
        current = to_document(row)
        result = merged(current, parsed.document, set(before))
        return None if digest(result) == digest(current) else result

    def _write(self, wanted):
        fresh, changed, known = self._sort(wanted)
        now = timezone.now()
        providers = self._providers(fresh)
        datasets = [self._build(parsed, providers, now) for parsed in fresh]
        entries = [("dataset.imported", row, {"title": row.title, "status": row.status, "source": self.name}) for row in datasets]
        if datasets:
            self._create(datasets, fresh, now)
        updated = [self._change(row, document) for row, _parsed, document in changed]
        entries += [("dataset.reimported", row, {"source": self.name}) for row in updated]
        if updated:
            self._update(updated, changed, now)
        if known:
            self._remember([row for row, _parsed in known], [parsed for _row, parsed in known], now)
        if entries:
            audit.append_many(entries, actor=self.user, label="" if self.user else "import")
            tell([*datasets, *updated], {row.pk: row.imported_document for row in [*datasets, *updated]})

    def _providers(self, fresh) -> dict[str, Organization]:
        if self.organization:
            return {}
        missing = {parsed.organization["name"]: parsed.organization for parsed in fresh if parsed.organization["name"] not in self.providers}
        if missing:
            own = Organization.objects.filter(home_portal=settings.PORTAL_ID)
            for row in own.filter(name__in=list(missing)):
                self.providers[row.name] = row
            codes = [fields["credit_code"] for fields in missing.values() if fields.get("credit_code")]
            taken = set(own.filter(credit_code__in=codes).values_list("credit_code", flat=True)) if codes else set()
            new = [self._organization(name, fields, taken) for name, fields in missing.items() if name not in self.providers]
            Organization.objects.bulk_create(new)
            audit.append_many(
                [("organization.imported", row, {"name": row.name}) for row in new], actor=self.user, label="" if self.user else "import"
            )
            self.providers |= {row.name: row for row in new}
        return self.providers

    def _organization(self, name, fields, taken) -> Organization:
        row = Organization(name=name, home_portal=settings.PORTAL_ID, kind=fields.get("kind") or Organization.Kind.ENTERPRISE)
        if row.kind not in Organization.Kind.values:
            row.kind = Organization.Kind.ENTERPRISE
        row.region, row.short_name = fields.get("region", "")[:6], fields.get("short_name", "")[:40]
        row.contact_email, row.website = fields.get("contact_email", "")[:254], fields.get("website", "")[:500]
        code = fields.get("credit_code", "")
        if code and len(code) == 18 and code not in taken:
            row.credit_code = code
            taken.add(code)
        return row

    def _build(self, parsed, providers, now) -> Dataset:
        uid = new_uid()
        row = Dataset(uid=uid, identifier=dataset_urn(settings.PORTAL_ID, uid), home_portal=settings.PORTAL_ID, created_by=self.user)
        row.organization = self.organization or providers[parsed.organization["name"]]
        row.status = self.status
        assign(row, parsed.document)
        if self.status == Dataset.Status.LISTED:
            row.listed_at = now
        elif self.status == Dataset.Status.SUBMITTED:
            row.submitted_at = now
        row.imported_resources = resource_rows(row, parsed.document["resources"], [])
        document = to_document(row, with_files=False)
        row.imported_document = document | {"resources": [resource_document(item) for item in row.imported_resources], "samples": []}
        count_change(row, row.imported_document)
        return row

    def _create(self, datasets, fresh, now):
        rows.insert(Dataset, datasets)
        for row in datasets:
            for resource in row.imported_resources:
                resource.dataset = row  # now that it has its key
        rows.insert(Resource, [resource for row in datasets for resource in row.imported_resources])
        for row in datasets:
            row._prefetched_objects_cache = {"resources": row.imported_resources, "samples": []}
        self._remember(datasets, fresh, now)
        if self.status == Dataset.Status.LISTED:
            self._version(datasets, _("导入：%(name)s"))
        elif self.status == Dataset.Status.SUBMITTED:
            self._open_reviews(datasets, fresh, now)

    def _version(self, datasets, note):
        documents = [row.imported_document for row in datasets]
        responsible = str(self.user) if self.user else "import"
        record_versions(datasets, documents, change_note=note % {"name": self.name or "—"}, user=self.user, responsible=responsible)

    def _remember(self, datasets, parsed, now):
        records = [
            ImportRecord(dataset=row, source=self.name, digest=item.digest, fields=_field_names(item.document), imported_at=now)
            for row, item in zip(datasets, parsed, strict=True)
        ]
        rows.insert(ImportRecord, records, conflict=["dataset", "source"], update=["digest", "fields", "imported_at"])

    def _open_reviews(self, datasets, fresh, now):
        due = now + timedelta(days=settings.PORTAL_REVIEW_DAYS)
        reviews = [Review(dataset=row, submitted_by=self.user, due_at=due) for row in datasets]
        Review.objects.bulk_create(reviews)
        found = []
        for review, parsed in zip(reviews, fresh, strict=True):
            for name, label in checks.REQUIRED.items():
                if not parsed.document.get(name):
                    message = _("“%(label)s”是必填项。") % {"label": label}
                    found.append(CheckResult(review=review, code="required", severity="error", pointer=f"/{name}", message=message))
        CheckResult.objects.bulk_create(found)

    def _change(self, row: Dataset, document: dict) -> Dataset:
        assign(row, document)
        row.stale_resources = {resource.pk for resource in row.resources.all()}
        kept = resource_rows(row, document["resources"], list(row.resources.all()))
        row._prefetched_objects_cache["resources"] = kept
        row.imported_document = to_document(row)
        count_change(row, row.imported_document)
        return row

    def _update(self, updated, changed, now):
        for row in updated:
            row.updated_at = now
        rows.overwrite(Dataset, updated, [*FIELDS, "serial", "rev", "document_hash", "updated_at"])
        resources = [resource for row in updated for resource in row.resources.all()]
        stale = set().union(*(row.stale_resources for row in updated)) - {resource.pk for resource in resources}
        Resource.objects.filter(pk__in=stale).delete()
        rows.insert(Resource, [resource for resource in resources if resource.pk is None])
        rows.overwrite(Resource, [resource for resource in resources if resource.pk], [*RESOURCE_FIELDS, "position"])
        self._remember(updated, [parsed for _row, parsed, _document in changed], now)
        listed = [row for row in updated if row.listed_at is not None]
        if listed:
            self._version(listed, _("重新导入：%(name)s"))


class _Equal(RecordError):
    """The record repeats an earlier one of the same source word for word: nothing to do, and no error."""

    def __init__(self):
        super().__init__("equal", "")


def _key(provider: str, identifier: str) -> bytes:
    return hashlib.blake2b(f"{provider}\n{identifier}".encode(), digest_size=16).digest()


def _field_names(document: dict) -> list[str]:
    return sorted(name for name in document if name in FIELDS)
