"""Locked manifests and what the portal draws from them; the provider hands in exactly the items that were drawn."""

import hashlib
import secrets
import tempfile
import zipfile

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict, ListingInvalid
from catalog.models import Dataset, Sample, User
from catalog.permissions import require_edit
from catalog.services import audit
from catalog.services.samples import add_sample, delete_on_rollback
from quality.models import SampleDraw, SampleManifest
from quality.panel import manifest as lines
from quality.panel import sampling
from quality.permissions import require_evaluator

LEAST, MOST = 1, 1000
MEMBERS, RATIO = 10_000, 100
BLOCK = 1024 * 1024
State = SampleDraw.State


@transaction.atomic
def lock_manifest(dataset: Dataset, upload, *, by: User) -> SampleManifest:
    """Read, check, hash and keep it; it never changes again. ListingInvalid names the rows that do not hold.

    A later one is the next number; it waits while items of the present one are asked for, so that nobody draws until the draw suits."""
    require_edit(by, dataset)
    dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
    if SampleDraw.objects.filter(manifest__dataset=dataset, state=State.OPEN).exists():
        raise Conflict(_("还有抽样等待上传，完成或由评测员作废之后才能换清单。"))
    items, errors = lines.read(upload.read(lines.LIMIT + 1))
    if errors:
        raise ListingInvalid([{"pointer": f"/lines/{row['line']}", "code": "manifest", "message": told(row)} for row in errors])
    content = lines.canonical(items)
    digest = lines.sha256(content)
    latest = dataset.manifests.first()
    if latest and latest.sha256 == digest:
        raise Conflict(_("和现有的第 %(number)d 版清单完全相同。") % {"number": latest.number})
    labels: dict[str, int] = {}
    for item in items:
        if item.label:
            labels[item.label] = labels.get(item.label, 0) + 1
    row = SampleManifest(dataset=dataset, number=latest.number + 1 if latest else 1, sha256=digest, item_count=len(items),
                         total_bytes=sum(item.size for item in items), labels=dict(sorted(labels.items())[:200]), locked_by=by)  # fmt: skip
    row.file.save("manifest", ContentFile(content), save=False)
    delete_on_rollback(row.file.storage, row.file.name)
    row.save()
    audit.append("quality.manifest.locked", dataset, actor=by, number=row.number, sha256=digest, items=row.item_count)
    return row


def told(row: dict) -> str:
    """An error of a manifest as one sentence with its line and field."""
    where = _("第 %(line)d 行") % {"line": row["line"]} if row["line"] else _("清单")
    return f"{where} {row['field']}：{row['message']}" if row["field"] else f"{where}：{row['message']}"


def items_of(row: SampleManifest) -> list[lines.Item]:
    with row.file.open("rb") as source:
        content = source.read()
    if lines.sha256(content) != row.sha256:
        raise Conflict(_("清单文件和锁定时的摘要不符，请告知管理员。"))
    return lines.load(content)


@transaction.atomic
def draw_items(row: SampleManifest, *, by: User, size: int, is_stratified: bool = False, seed: int | None = None) -> SampleDraw:
    """The first draw of a manifest may be asked for by its provider, every further one by an evaluator only. The portal picks the seed."""
    row = SampleManifest.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=row.pk)
    drawn = row.draws.count()
    if drawn:
        require_evaluator(by, row.dataset.organization_id)
    else:
        _require_side(by, row.dataset)
    if row.dataset.manifests.first() != row:
        raise Conflict(_("已有更新的清单，请从最新一版抽取。"))
    if row.draws.filter(state=State.OPEN).exists():
        raise Conflict(_("已经有一次抽样在等待上传。"))
    if not LEAST <= size <= MOST:
        raise ListingInvalid([{"pointer": "/size", "code": "range", "message": _("抽取条数为 1 到 1000。")}])
    items = {item.path: item for item in items_of(row)}
    if is_stratified and not any(item.label for item in items.values()):
        raise Conflict(_("清单里没有类别，不能分层抽取。"))
    seed = secrets.randbits(53) if seed is None else seed
    if is_stratified:
        method, paths = SampleDraw.Method.STRATIFIED, sampling.draw_by_stratum({path: item.label for path, item in items.items()}, size, seed)
    else:
        method, paths = SampleDraw.Method.SIMPLE, sampling.draw(list(items), size, seed)
    draw = SampleDraw.objects.create(manifest=row, number=drawn + 1, method=method, algorithm=sampling.ALGORITHM, seed=seed, size=size,
                                     items=[items[path].row() for path in paths], drawn_by=by)  # fmt: skip
    audit.append("quality.manifest.drawn", row.dataset, actor=by, manifest=row.sha256, seed=seed, algorithm=sampling.ALGORITHM, method=method,
                 items=len(paths))  # fmt: skip
    return draw


def _require_side(by: User, dataset: Dataset) -> None:
    if dataset.organization_id in by.organization_ids("owner", "editor"):
        require_edit(by, dataset)
    else:
        require_evaluator(by, dataset.organization_id)


@transaction.atomic
def void_draw(draw: SampleDraw, *, by: User, reason: str) -> None:
    require_evaluator(by, draw.manifest.dataset.organization_id)
    draw = SampleDraw.objects.select_for_update(of=("self",)).select_related("manifest__dataset").get(pk=draw.pk)
    if draw.state != State.OPEN:
        raise Conflict(_("这次抽样已经结束。"))
    if not reason.strip():
        raise ListingInvalid([{"pointer": "/reason", "code": "required", "message": _("请写明理由。")}])
    draw.state, draw.reason, draw.ended_at = State.VOID, reason.strip()[:2000], timezone.now()
    draw.save(update_fields=["state", "reason", "ended_at"])
    audit.append("quality.manifest.draw_void", draw.manifest.dataset, actor=by, draw=str(draw.uid), reason=draw.reason)


@transaction.atomic
def hand_in(draw: SampleDraw, uploads: list[UploadedFile], *, by: User, terms: str = "") -> Sample:
    """Exactly the drawn items, as files or as one ZIP that holds them under their paths; each is compared with its size and hash.

    All of them, then the whole becomes a sample; else ListingInvalid names what is missing, too much or different, and nothing is kept."""
    require_edit(by, draw.manifest.dataset)
    draw = SampleDraw.objects.select_for_update(of=("self",)).select_related("manifest__dataset").get(pk=draw.pk)
    if draw.state != State.OPEN:
        raise Conflict(_("这次抽样已经结束。"))
    if not uploads:
        raise ListingInvalid([{"pointer": "/files", "code": "required", "message": _("请选择文件。")}])
    wanted = {item["path"]: item for item in draw.items}
    one = uploads[0]
    is_archive = len(uploads) == 1 and one.name.lower().endswith(".zip") and one.name not in wanted
    if is_archive:
        _check(wanted, _members(one))
        sample = _keep(draw, one, by, terms)
    elif len(wanted) == 1 and len(uploads) == 1:
        _check(wanted, [(next(iter(wanted)), one.size, digest(one))])
        sample = _keep(draw, one, by, terms)
    else:
        _check(wanted, [(_place(wanted, upload.name), upload.size, digest(upload)) for upload in uploads])
        with tempfile.TemporaryFile() as target:
            _pack(wanted, uploads, target)
            target.seek(0)
            sample = _keep(draw, UploadedFile(target, name=f"draw-{draw.manifest.number}-{draw.number}.zip"), by, terms)
    draw.state, draw.sample, draw.ended_at = State.VERIFIED, sample, timezone.now()
    draw.save(update_fields=["state", "sample", "ended_at"])
    audit.append("quality.manifest.verified", draw.manifest.dataset, actor=by, draw=str(draw.uid), sample=str(sample.uid), sha256=sample.sha256)
    return sample


def _keep(draw: SampleDraw, upload, by: User, terms: str) -> Sample:
    note = _("门户从第 %(number)d 版清单抽取，种子 %(seed)d，%(count)d 项。") % {
        "number": draw.manifest.number, "seed": draw.seed, "count": len(draw.items)}  # fmt: skip
    return add_sample(draw.manifest.dataset, upload, user=by, terms=terms, description=note)


def _place(wanted: dict, name: str) -> str:
    """A browser sends the file name alone: it stands for the one drawn path that ends in it."""
    matches = [path for path in wanted if path == name or path.rsplit("/", 1)[-1] == name]
    return matches[0] if len(matches) == 1 else name


def _members(upload) -> list[tuple[str, int, str]]:
    """(path, size, hash) of each file in the archive, read in pieces and no further than its stated size; nothing is unpacked to disk."""
    try:
        upload.seek(0)
        with zipfile.ZipFile(upload) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > MEMBERS:
                raise ListingInvalid([_wrong("", _("压缩包里的文件超过 %(limit)d 个。") % {"limit": MEMBERS})])
            out = []
            for info in infos:
                if info.file_size > RATIO * max(1, info.compress_size) + BLOCK:
                    raise ListingInvalid([_wrong(info.filename, _("压缩比过高。"))])
                with archive.open(info) as source:
                    out.append((info.filename, info.file_size, digest(source, info.file_size)))
            return out
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise ListingInvalid([_wrong("", _("压缩包读不出：%(why)s。") % {"why": type(error).__name__})]) from error


def digest(source, limit: int | None = None) -> str:
    if limit is None:
        source.seek(0)
    found, length = hashlib.sha256(), 0
    while block := source.read(BLOCK):
        found.update(block)
        length += len(block)
        if limit is not None and length > limit:
            break
    return found.hexdigest()


def _check(wanted: dict, found: list[tuple[str, int, str]]) -> None:
    errors, seen = [], set()
    for path, size, sha256 in found:
        item = wanted.get(path)
        if item is None:
            errors.append(_wrong(path, _("不在抽取的条目里。")))
        elif path in seen:
            errors.append(_wrong(path, _("重复。")))
        elif (size, sha256) != (item["size"], item["sha256"]):
            errors.append(_wrong(path, _("和清单里的字节数或摘要不符。")))
        seen.add(path)
    errors += [_wrong(path, _("缺少。")) for path in wanted if path not in seen]
    if errors:
        raise ListingInvalid(errors[:50])


def _wrong(path: str, message: str) -> dict:
    return {"pointer": "/files", "code": "draw", "message": f"{path[:200]}：{message}" if path else message}


def _pack(wanted: dict, uploads, target) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for upload in sorted(uploads, key=lambda upload: _place(wanted, upload.name)):
            upload.seek(0)
            info = zipfile.ZipInfo(_place(wanted, upload.name), date_time=(2020, 1, 1, 0, 0, 0))
            with archive.open(info, "w", force_zip64=True) as place:
                while block := upload.read(BLOCK):
                    place.write(block)


def distance(draw: SampleDraw) -> float | None:
    """Total variation distance between the classes the manifest declares and those that were drawn; None without classes."""
    if not draw.manifest.labels:
        return None
    return sampling.distance(draw.manifest.labels, sampling.shares([item.get("label", "") for item in draw.items]))
