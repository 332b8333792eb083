"""Many listing documents in one request: each line is created, updated, left alone or rejected whole.

A line that names a `uid`, or a `source_identifier` that its organization has used before, changes that dataset (keys are
merged, as by PATCH); any other becomes a draft. Lines are written in batches; a batch the database refuses is written
line by line, so that one bad line never takes its neighbours along.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError, ListingInvalid
from catalog.ids import dataset_urn, new_uid
from catalog.listing import FIELDS, RESOURCE_FIELDS, assign, to_document
from catalog.models import Dataset, Organization, Resource, User
from catalog.services import audit, checks, registration
from catalog.services.publication import announce

BATCH = 500
KEYS = frozenset(FIELDS) | {"organization", "resources", "uid", "schema"}


@dataclass
class Line:
    number: int
    document: dict
    organization: Organization | None = None
    dataset: Dataset | None = None  # the one to change, or the one made
    status: str = ""
    errors: list[dict] = field(default_factory=list)

    def reject(self, code: str, pointer: str, message: str) -> None:
        self.status = "rejected"
        self.errors.append({"code": code, "pointer": pointer, "message": message})

    def reject_with(self, error: DomainError) -> None:
        if isinstance(error, ListingInvalid):
            self.status, self.errors = "rejected", [{key: found[key] for key in ("pointer", "code", "message")} for found in error.errors]
        else:
            self.reject(error.code, "", str(error))

    def result(self) -> dict:
        uid = str(self.dataset.uid) if self.dataset is not None and self.status != "rejected" else None
        return {"line": self.number, "status": self.status, "uid": uid, "errors": self.errors}


class BulkRegistration:
    """One request of one user. `organization` stands where a line names none."""

    def __init__(self, *, user: User, organization: Organization | None = None):
        self.user, self.organization = user, organization
        self.codes = checks.active_codes()
        self.editable = None if user.is_portal_admin else user.organization_ids("owner", "editor")
        self.organizations: dict[str, Organization | None] = {}

    def run(self, documents: Iterable[tuple[int, dict]]) -> list[dict]:
        lines = [Line(number, document) for number, document in documents]
        for line in lines:
            self.examine(line)
        for batch in self.batches(line for line in lines if not line.status):
            self.write(batch)
        return [line.result() for line in lines]

    def examine(self, line: Line) -> None:
        """Whose it is and which keys it has; values are judged after merging."""
        document = line.document
        for key in sorted(map(str, set(document) - KEYS))[:20]:
            line.reject("unknown_key", f"/{key}", _("没有这个可写的字段。"))
        line.document = {key: value for key, value in document.items() if key in KEYS and key not in ("organization", "schema")}
        line.organization = self.find_organization(document.get("organization"))
        if line.organization is None:
            line.reject("unknown_organization", "/organization", _("没有这个机构；请给出它的 uid。"))
        elif self.editable is not None and line.organization.pk not in self.editable:
            line.reject("not_allowed", "/organization", _("您不是“%(name)s”的编辑或负责人。") % {"name": line.organization.name})
        if "source_identifier" in document and not isinstance(document["source_identifier"], str):
            line.reject("type", "/source_identifier", _("应是文字。"))
        if "uid" in document and as_uuid(document["uid"]) is None:
            line.reject("type", "/uid", _("uid 应是一个 UUID。"))

    def find_organization(self, value):
        if value is None:
            return self.organization
        key = value.get("uid") if isinstance(value, dict) else value
        uid = as_uuid(key)
        if uid is None:
            return None
        if key not in self.organizations:
            self.organizations[key] = Organization.objects.filter(uid=uid).first()
        return self.organizations[key]

    def batches(self, lines):
        """Lists of lines that do not touch the same dataset, so that a later line sees what an earlier one did."""
        batch, seen = [], set()
        for line in lines:
            keys = set(identities(line))
            if len(batch) >= BATCH or keys & seen:
                yield batch
                batch, seen = [], set()
            batch.append(line)
            seen |= keys
        if batch:
            yield batch

    def write(self, batch: list[Line]) -> None:
        try:
            with transaction.atomic():
                self.write_together(batch)
        except DatabaseError:
            for line in batch:
                self.write_alone(line)

    def write_alone(self, line: Line) -> None:
        line.status, line.errors, line.dataset = "", [], None
        try:
            with transaction.atomic():
                self.write_together([line])
        except DatabaseError:
            line.reject("not_stored", "", _("这一行的内容数据库不能保存。"))

    def write_together(self, batch: list[Line]) -> None:
        self.match(batch)
        created = [line for line in batch if line.dataset is None and not line.status and self.is_valid(line, line.document)]
        changed = [line for line in batch if line.dataset is not None and not line.status]
        self.create(created)
        self.change(changed)

    def match(self, batch: list[Line]) -> None:
        rows = Dataset.objects.editable_by(self.user).select_related("organization").prefetch_related("resources", "samples")
        uids = [as_uuid(line.document["uid"]) for line in batch if "uid" in line.document]
        names = [line.document["source_identifier"] for line in batch if line.document.get("source_identifier")]
        by_uid = {row.uid: row for row in rows.filter(uid__in=uids)} if uids else {}
        by_name = {(row.organization_id, row.source_identifier): row for row in rows.filter(source_identifier__in=names)} if names else {}
        for line in batch:
            uid = line.document.pop("uid", None)
            if uid is not None:
                line.dataset = by_uid.get(as_uuid(uid))
                if line.dataset is None:
                    line.reject("unknown_dataset", "/uid", _("没有这个数据集，或者您不能修改它。"))
            else:
                line.dataset = by_name.get((line.organization.pk, line.document.get("source_identifier")))

    def is_valid(self, line: Line, document: dict) -> bool:
        filled = {key: value for key, value in document.items() if value is not None}
        if errors := checks.shape_errors(filled, codes=self.codes):
            line.reject_with(ListingInvalid(errors))
        return not line.status

    def create(self, lines: list[Line]) -> None:
        if not lines:
            return
        for line in lines:
            uid = new_uid()
            line.dataset = Dataset(
                uid=uid,
                identifier=dataset_urn(settings.PORTAL_ID, uid),
                home_portal=settings.PORTAL_ID,
                organization=line.organization,
                created_by=self.user,
            )
            assign(line.dataset, line.document)
        datasets = Dataset.objects.bulk_create([line.dataset for line in lines], batch_size=BATCH)
        Resource.objects.bulk_create([row for line in lines for row in resource_rows(line)], batch_size=BATCH)
        prefetch_related_objects(datasets, "resources", "samples")
        audit.append_many([("dataset.created", row, {"title": row.title, "via": "bulk"}) for row in datasets], actor=self.user)
        announce(datasets)
        for line in lines:
            line.status = "created"

    def change(self, lines: list[Line]) -> None:
        written = []
        for line in lines:
            before = to_document(line.dataset)
            after = registration.merge(before, line.document)
            if after == before:
                line.status = "unchanged"
            elif self.is_valid(line, after):
                if line.dataset.status not in registration.EDITABLE or "resources" in line.document:
                    self.change_alone(line)
                else:
                    assign(line.dataset, after)
                    line.status = "updated"
                    written.append(line)
        if written:
            rows = [line.dataset for line in written]
            Dataset.objects.bulk_update(rows, FIELDS, batch_size=100)
            audit.append_many(
                [("dataset.edited", line.dataset, {"fields": sorted(line.document), "via": "bulk"}) for line in written], actor=self.user
            )
            announce(rows)

    def change_alone(self, line: Line) -> None:
        """What is listed is changed through its revision, and waits there for submission and review."""
        try:
            with transaction.atomic():
                registration.update_dataset(line.dataset, line.document, user=self.user)
            line.status = "updated"
        except DomainError as error:
            line.reject_with(error)


def identities(line: Line):
    if "uid" in line.document:
        yield as_uuid(line.document["uid"])
    if line.document.get("source_identifier"):
        yield (line.organization.pk, line.document["source_identifier"])


def as_uuid(value) -> uuid.UUID | None:
    try:
        return uuid.UUID(value) if isinstance(value, str) and len(value) == 36 else None
    except ValueError:
        return None


def resource_rows(line: Line):
    for position, item in enumerate(line.document.get("resources") or []):
        values = {name: item[name] for name in RESOURCE_FIELDS if item.get(name) is not None}
        yield Resource(dataset=line.dataset, position=position, **values)
