"""Catalogue files that a provider uploads: the first record as a draft, or all of them at once and all or nothing."""

import csv
import io
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.cells import inert
from catalog.exceptions import ListingInvalid
from catalog.interchange.parsed import Parsed, Unreadable
from catalog.interchange.reading import read_catalog
from catalog.listing import FIELDS
from catalog.models import Organization, User
from catalog.services import audit
from catalog.services.bulk import BulkRegistration

MOST = 10_000  # records of one file
MOST_BYTES = 24 * 1024 * 1024
SHOWN = 200  # errors on the page; the CSV has them all
NOT_OURS = ("is_example",)


class Undone(Exception):
    """Rolls a bulk registration back: it was a dry run, or a line was refused."""


@dataclass
class Outcome:
    """What a file did or would do. Errors are {"line", "field", "message"}; nothing is written while there is one."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    records: int = 0
    gaps: int = 0
    is_done: bool = False
    errors: list[dict] = field(default_factory=list)

    def as_csv(self) -> str:
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([_("行"), _("字段"), _("问题")])
        writer.writerows([[inert(error["line"]), inert(error["field"]), inert(error["message"])] for error in self.errors])
        return "\ufeff" + stream.getvalue()


@contextmanager
def on_disk(upload):
    """The upload as a file with its own ending: the readers stream from a path. Bounded: a parsed catalogue takes many times its size."""
    if upload.size > MOST_BYTES:
        fail(
            _("“%(name)s”有 %(size)d MB，网页登记的文件最大 %(most)d MB。更大的目录请分成几个文件，或请管理员用命令导入。")
            % {"name": upload.name, "size": upload.size // 2**20, "most": MOST_BYTES // 2**20}
        )
    ending = Path(str(upload.name)).suffix[:12] or ".txt"
    with tempfile.NamedTemporaryFile(suffix=ending) as kept:
        for chunk in upload.chunks():
            kept.write(chunk)
        kept.flush()
        yield Path(kept.name)


def records(path: Path, name: str) -> list[Parsed]:
    """All records of a file; ListingInvalid when it cannot be read as a catalogue or holds too many."""
    found = []
    try:
        for parsed in read_catalog(path):
            found.append(parsed)
            if len(found) > MOST:
                fail(_("“%(name)s”超过 %(most)d 条，请分成几个文件。") % {"name": name, "most": MOST})
    except Unreadable as error:
        fail(_("“%(name)s”读不了：%(why)s") % {"name": name, "why": error})
    if not found:
        fail(_("“%(name)s”里没有记录。") % {"name": name})
    return found


def fail(message: str):
    raise ListingInvalid([{"pointer": "/file", "code": "unreadable", "message": message}])


def read_first(upload) -> dict:
    """The first record of an uploaded file as a listing document for a draft."""
    with on_disk(upload) as path:
        first = records(path, upload.name)[0]
    if first.error is not None:
        fail(_("第一条记录不能用：%(why)s") % {"why": first.error.message})
    kept = {name: value for name, value in first.document.items() if name in FIELDS and name not in (*NOT_OURS, "source_identifier")}
    return kept | {"resources": first.document.get("resources", [])}


def register_file(upload, *, organization: Organization, user: User, dry_run: bool) -> Outcome:
    """Register every record of a file as a draft of the organization, or, while any is refused, none of them."""
    with on_disk(upload) as path:
        found = records(path, upload.name)
    outcome = Outcome(records=len(found), gaps=sum(len(parsed.gaps) for parsed in found))
    outcome.errors = [row(parsed.record, parsed.error.pointer, parsed.error.message) for parsed in found if parsed.error is not None]
    documents = [(parsed.record, writable(parsed.document)) for parsed in found if parsed.error is None]
    try:
        with transaction.atomic():
            for result in BulkRegistration(user=user, organization=organization).run(documents):
                outcome.errors += [row(result["line"], found["pointer"], found["message"]) for found in result["errors"]]
                if result["status"] in ("created", "updated", "unchanged"):
                    setattr(outcome, result["status"], getattr(outcome, result["status"]) + 1)
            if dry_run or outcome.errors:
                raise Undone
            audit.append(
                "organization.bulk_registered",
                organization,
                actor=user,
                file=str(upload.name)[:200],
                created=outcome.created,
                updated=outcome.updated,
            )
            outcome.is_done = True
    except Undone:
        outcome.errors.sort(key=lambda error: error["line"])
    return outcome


def writable(document: dict) -> dict:
    return {name: value for name, value in document.items() if (name in FIELDS and name not in NOT_OURS) or name == "resources"}


def row(line, pointer, message) -> dict:
    from catalog.display import field_label

    return {"line": line, "field": field_label(pointer) if pointer else "", "message": str(message)}
