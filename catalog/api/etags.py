"""Entity tags of datasets: conditional GET, and If-Match on a change so that nobody overwrites what they have not seen."""

import hashlib

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.exceptions import DomainError


class PreconditionFailed(DomainError):
    status = 412
    code = "precondition_failed"


def dataset_etag(dataset, revision=None, *, minimal: bool = False) -> str:
    """Grows new with each announced change of the dataset and each edit of its open revision."""
    parts = [dataset.uid, dataset.rev, dataset.serial, dataset.updated_at.isoformat(), dataset.admission, minimal, get_language()]
    if revision is not None:
        parts += [revision.pk, revision.state, revision.updated_at.isoformat()]
    return '"' + hashlib.sha256(repr([str(part) for part in parts]).encode()).hexdigest()[:32] + '"'


def _tags(header: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def not_modified(request, etag: str) -> bool:
    header = request.headers.get("If-None-Match", "")
    return header.strip() == "*" or etag in _tags(header)


def require_match(request, etag: str) -> None:
    """PreconditionFailed when If-Match names another state of the record."""
    header = request.headers.get("If-Match")
    if header and header.strip() != "*" and etag not in _tags(header):
        raise PreconditionFailed(_("记录在您读取之后又有改动，请重新读取再提交。"))
