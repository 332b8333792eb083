"""Samples: small extracts that are uploaded, profiled, offered and counted. The file leaves no trace when its transaction fails."""

import hashlib
import re
import weakref
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, DomainError
from catalog.listing import canonical
from catalog.models import Dataset, DownloadEvent, Review, Sample, User
from catalog.models.resources import sample_path
from catalog.permissions import require_edit
from catalog.services import audit
from catalog.services.publication import announce, touch_counter
from catalog.services.sample_formats import HEAD, MEDIA_TYPES, detect, refuse
from catalog.services.versions import record_version
from catalog.signals import sample_added, sample_downloaded

Status = Dataset.Status
OPEN_TO_SAMPLES = (Status.DRAFT, Status.RETURNED, Status.LISTED, Status.SUSPENDED)
PROFILE_LIMIT = 128 * 1024  # bytes: a listing document as a whole has 256 KiB (fed/1)


class SampleMissing(DomainError):
    """The file is not kept here: it belongs to another portal, or storage lost it."""

    status = 404
    code = "sample_missing"


class Measured(File):
    """Passes an upload on to storage, counting and hashing on the way; refuses what grows beyond the limit."""

    def __init__(self, upload, head: bytes, limit: int):
        super().__init__(upload.file if isinstance(upload, File) and upload.file is not None else upload, name=upload.name)
        self.head, self.limit, self.hash, self.length = head, limit, hashlib.sha256(), 0

    def chunks(self, chunk_size=None):
        piece = self.head
        while piece:
            self.hash.update(piece)
            self.length += len(piece)
            if self.length > self.limit:
                refuse("too_large", _("文件超过 %(limit)d MB 的上限。样例只要一小部分数据，请截取后再上传。") % {"limit": self.limit // 2**20})
            yield piece
            piece = self.file.read(chunk_size or self.DEFAULT_CHUNK_SIZE)


class Unkept:
    """Held by the transaction's commit hooks alone: once they are dropped without running, so is the file."""

    def __init__(self, storage, name):
        self.finalizer = weakref.finalize(self, storage.delete, name)

    def keep(self):
        self.finalizer.detach()


def delete_on_rollback(storage, name: str) -> None:
    guard = Unkept(storage, name)
    transaction.on_commit(guard.keep)


@transaction.atomic
def add_sample(dataset: Dataset, upload, *, user: User | None, terms: str = "", description: str = "", is_synthetic: bool = False) -> Sample:
    """Keep an uploaded extract as PENDING until it is profiled. ListingInvalid with one sentence for a file that may not be one.

    `upload` has a name and read(); user None is an operator's command. What people add to a listed dataset is offered
    once a reviewer has approved the change it belongs to (registration.submit_dataset).
    """
    if user is not None:
        require_edit(user, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    dataset.require_status(*OPEN_TO_SAMPLES)
    is_public = dataset.status in (Status.LISTED, Status.SUSPENDED)
    if is_public and dataset.reviews.filter(state__in=Review.OPEN_STATES).exclude(kind=Review.Kind.NATIONAL).exists():
        raise Conflict(_("上一次变更还在审核中，请等结果出来再添加样例。"))
    if dataset.security_level != Dataset.SecurityLevel.GENERAL:
        refuse("security_level", _("重要数据和核心数据不提供样例，只登记元数据。"))
    name = clean_name(upload.name)
    upload.seek(0)
    head = upload.read(HEAD)
    if not head:
        refuse("empty", _("“%(name)s”是空文件。") % {"name": name})
    kind = detect(name, head)
    sample = Sample(dataset=dataset, name=name, terms=terms, description=description, is_synthetic=is_synthetic, format=kind)
    sample.needs_review = is_public and user is not None
    _store(sample, upload, head)
    if dataset.samples.filter(sha256=sample.sha256).exists():
        refuse("same_file", _("“%(name)s”和已有的样例内容相同，没有重复保存。") % {"name": name})
    sample.media_type, sample.position = MEDIA_TYPES[kind], dataset.samples.count()
    sample.save()
    audit.append("sample.added", dataset, actor=user, sample=str(sample.uid), sha256=sample.sha256, bytes=sample.byte_size)
    sample_added.send(sender=Sample, sample=sample)
    return sample


def clean_name(name: str) -> str:
    """The last part of a file name without control characters, 255 characters at most, its extension kept."""
    name = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", str(name or "")).replace("\\", "/").rsplit("/", 1)[-1].strip() or "sample"
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: 250 - len(extension)]}{dot}{extension}" if dot and len(extension) < 20 else name[:255]


def _store(sample, upload, head):
    content = Measured(upload, head, settings.PORTAL_UPLOAD_MAX_BYTES)
    delete_on_rollback(storages["samples"], sample_path(sample, ""))
    sample.file.save(sample.name, content, save=False)
    sample.sha256, sample.byte_size = content.hash.hexdigest(), content.length


@transaction.atomic
def publish_profile(sample: Sample, profile: dict, *, state: str, reason: str = "") -> Sample:
    """Store what profiling found and open the sample (READY) or hold it back with a reason (BLOCKED). Running it twice does no harm.

    One that a reviewer has not seen yet becomes WAITING instead of READY.

    Floats become text, for a listing document holds none. A listed dataset gets a version, since its document changed.
    """
    sample = Sample.objects.select_for_update().get(pk=sample.pk)
    dataset = Dataset.objects.select_for_update().select_related("organization").get(pk=sample.dataset_id)
    if state not in (Sample.State.READY, Sample.State.BLOCKED):
        raise ValueError(f"a profile ends in ready or blocked, not {state!r}")
    if state == Sample.State.BLOCKED and not reason.strip():
        raise ValueError("a blocked sample says why")
    profile = without_floats(profile)
    if len(canonical(profile)) > PROFILE_LIMIT:
        refuse("profile_too_large", _("样例的概况超过 128 KiB，请减少列或预览的行。"))
    before = sample.state
    if state == Sample.State.READY and sample.needs_review:
        state = Sample.State.WAITING
    sample.profile, sample.state, sample.state_reason = profile, state, reason
    rows = profile.get("rows")
    sample.row_count = rows if isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0 else None
    sample.save(update_fields=["profile", "state", "state_reason", "row_count"])
    audit.append("sample.profiled", dataset, label="quality", sample=str(sample.uid), before=before, after=state, reason=reason)
    _document_changed(dataset, _("样例“%(name)s”通过检查") % {"name": sample.name} if state == Sample.State.READY else "")
    sample.dataset = dataset
    return sample


def release_samples(dataset: Dataset, *, until: datetime) -> None:
    """A reviewer approved the change that was submitted at `until`: what was added before may be offered."""
    seen = dataset.samples.filter(needs_review=True, created_at__lte=until)
    seen.filter(state=Sample.State.WAITING).update(state=Sample.State.READY)
    seen.update(needs_review=False)


def without_floats(value):
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): without_floats(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_floats(item) for item in value]
    return value


def _document_changed(dataset, change_note, user=None):
    if change_note and dataset.current_version_id:
        record_version(dataset, change_note=change_note, user=user)
    announce([dataset])


@transaction.atomic
def remove_sample(sample: Sample, *, user: User | None) -> None:
    """Delete a sample and, once that is certain, its file. Downloads already counted stay in the dataset's counter and the trail."""
    if user is not None:
        require_edit(user, sample.dataset)
    dataset = Dataset.objects.select_for_update().select_related("organization").get(pk=sample.dataset_id)
    dataset.require_status(*OPEN_TO_SAMPLES)
    storage, name, was_ready = sample.file.storage, sample.file.name, sample.state == Sample.State.READY
    audit.append("sample.removed", dataset, actor=user, sample=str(sample.uid), sha256=sample.sha256, name=sample.name)
    Sample.objects.filter(pk=sample.pk).delete()
    if name:
        transaction.on_commit(lambda: storage.delete(name))
    if was_ready:
        _document_changed(dataset, _("移除样例“%(name)s”") % {"name": sample.name}, user)


def open_sample(sample: Sample) -> BinaryIO:
    """The file, opened for reading. SampleMissing when this portal does not hold it."""
    if not sample.file:
        raise SampleMissing(_("“%(name)s”保存在来源门户，请凭票据到那里下载。") % {"name": sample.name})
    try:
        return sample.file.storage.open(sample.file.name, "rb")
    except OSError as error:
        raise SampleMissing(_("“%(name)s”的文件暂时读不到，请稍后再试或告知管理员。") % {"name": sample.name}) from error


@transaction.atomic
def record_download(sample: Sample, *, user: User | None = None, consumer: str, purpose: str, via_portal: str = "") -> DownloadEvent:
    """Count one download by whom and for what, with the terms as they read now (R83). Conflict when it is not on offer."""
    if sample.state != Sample.State.READY:
        raise Conflict(_("“%(name)s”%(state)s，现在不能下载。") % {"name": sample.name, "state": sample.get_state_display()})
    event = DownloadEvent.objects.create(
        sample=sample,
        user=user,
        consumer=consumer[:120],
        purpose=purpose[:300],
        via_portal=via_portal,
        terms_sha256=hashlib.sha256(sample.terms.encode()).hexdigest() if sample.terms else "",
    )
    touch_counter(sample.dataset_id, "download_count")
    Sample.objects.filter(pk=sample.pk).update(download_count=F("download_count") + 1)
    audit.append("sample.downloaded", sample.dataset, actor=user, label="" if user else consumer[:120], sample=str(sample.uid), via=via_portal)
    sample_downloaded.send(sender=Sample, sample=sample, event=event)
    return event
