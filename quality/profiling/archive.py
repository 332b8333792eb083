"""ZIP: members are read one after the other through bounded streams; nothing is extracted under a name of the archive."""

import stat
import tempfile
import zipfile
import zlib

from django.utils.translation import gettext_noop as _

from quality.profiling import formats, limits
from quality.profiling.audio import KINDS as SOUNDS
from quality.profiling.audio import Sounds
from quality.profiling.columns import KEPT_HASHES
from quality.profiling.images import KINDS as IMAGES
from quality.profiling.images import Images
from quality.profiling.table import Refused, finding

SUMS = ("rows", "ragged_rows", "blank_rows", "duplicate_rows", "missing_cells", "cells", "swallowed_lines", "bad_bytes", "statistic_rows")
HIDDEN = ("__MACOSX/", ".DS_Store", "Thumbs.db")


def check(archive: zipfile.ZipFile) -> None:
    """Refuse an archive by its directory: numbers, sizes, ratios, names, links, encryption."""
    members = archive.infolist()
    if len(members) > limits.ZIP_MEMBERS:
        raise Refused(f"压缩包有 {len(members)} 个成员，超过 {limits.ZIP_MEMBERS} 个的上限。")
    for info in members:
        name = info.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
            raise Refused(f"压缩包成员的路径不安全：{info.filename[:80]}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused(f"压缩包里有符号链接：{info.filename[:80]}")
        if info.flag_bits & 1:
            raise Refused(f"压缩包成员已加密：{info.filename[:80]}")
        if info.file_size > limits.ZIP_MEMBER_BYTES or (info.file_size > 1024**2 and info.file_size > limits.ZIP_RATIO * max(1, info.compress_size)):
            raise Refused(_("压缩比异常或解压后过大，按压缩炸弹拒绝。"))
    if sum(info.file_size for info in members) > limits.ZIP_BYTES:
        raise Refused(_("压缩比异常或解压后过大，按压缩炸弹拒绝。"))
    spans = sorted((info.header_offset, info.header_offset + info.compress_size) for info in members)
    if any(end > start for (_start, end), (start, _end) in zip(spans, spans[1:], strict=False)):
        raise Refused(_("压缩包成员互相重叠，按压缩炸弹拒绝。"))


class bounded:
    """A stream over one member that stops where the directory said it ends: a directory may lie."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo):
        self.stream, self.left = archive.open(info), info.file_size

    def read(self, size: int) -> bytes:
        block = self.stream.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise Refused(_("压缩包成员比目录所说的大，按压缩炸弹拒绝。"))
        return block


def profile(path, name: str, of_member, progress=None) -> dict:
    """`of_member(path, name)` gives the profile of one tabular member."""
    if formats._directory_bytes(path) > limits.ZIP_DIRECTORY:
        raise Refused(_("压缩包的目录过大。"))
    try:
        with zipfile.ZipFile(path) as archive:
            check(archive)
            members = [info for info in archive.infolist() if not info.is_dir() and not any(part in info.filename for part in HIDDEN)]
            return _members(archive, members, of_member, progress)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, RuntimeError) as error:
        raise Refused(f"压缩包读不出：{str(error)[:120]}") from error


def _members(archive, members, of_member, progress) -> dict:
    images, sounds, tables, told, notes = Images(), Sounds(), [], [], []
    for number, info in enumerate(sorted(members, key=lambda item: item.filename), 1):
        entry = {"name": info.filename[:200], "byte_size": info.file_size}
        with tempfile.NamedTemporaryFile(prefix="jimu-member-") as target:
            reason, found = "", {}
            try:
                _copy(archive, info, target)
                target.seek(0)
                head = target.read(4096)
                kind = formats.sniff(head, info.filename)
                entry["format"] = kind
                if kind in ("ZIP", "gzip", "RAR", "7Z", "BZIP2", "XZ", "ZSTD") and not formats.extension(info.filename).startswith("xls"):
                    reason = _("压缩包里还有压缩包，不读嵌套的压缩包。")
                elif kind in IMAGES:
                    target.seek(0)
                    reason = images.add(info.filename, target.read())
                elif kind in SOUNDS:
                    target.seek(0)
                    reason = sounds.add(info.filename, target)
                elif len(tables) < limits.ZIP_TABLES:
                    target.flush()
                    found = of_member(target.name, info.filename)
                    reason = "" if found["readable"] else found["reason"]
                    entry["format"] = found["format"]
            except Refused as refusal:
                reason = str(refusal)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
                reason = f"成员读不出：{str(error)[:80]}"
        entry |= {"readable": not reason} | ({"reason": reason} if reason else {})
        if reason:
            notes.append(finding("0201", "unreadable", "error", info.filename[:120], reason))
        elif found.get("rows") is not None:
            entry |= {"rows": found["rows"]}
            tables.append((info.filename, found))
        told.append(entry)
        if progress:
            progress(number, len(members))
    media = [group.result() for group in (images, sounds) if group.count or group.broken]
    result = merged(tables) | {
        "members": told,
        "member_count": len(told),
        "broken_members": sum(not item["readable"] for item in told),
        "media": media,
    }
    return result | {"findings": notes + images.findings() + sounds.findings() + result["findings"], "rows": result["rows"] if tables else None}


def _copy(archive, info, target) -> None:
    stream = bounded(archive, info)
    while block := stream.read(1 << 20):
        target.write(block)


def merged(tables: list[tuple[str, dict]]) -> dict:
    """Several tables as one profile: sums, and the columns of each under its name."""
    from quality.profiling.table import Table

    out = Table([]).result() | dict.fromkeys(SUMS, 0)
    columns, personal, words, findings, previews = [], [], [], [], []
    for place, found in tables:
        for name in SUMS:
            out[name] += found.get(name) or 0
        columns += [column | {"member": place[:120]} for column in found["columns"]]
        personal += found.get("personal_information", [])
        words += found.get("word_hits", [])
        findings += [item | {"place": f"{place[:80]} {item['place']}".strip()} for item in found["findings"]]
        previews.append((found.get("header", []), found.get("preview", [])))
    if previews:
        out["header"], out["preview"] = previews[0]
    out |= {"columns": columns[: limits.COLUMNS], "personal_information": personal, "word_hits": words, "findings": findings[: limits.FINDINGS]}
    out["longest_cell"] = max((found.get("longest_cell", 0) for _place, found in tables), default=0)
    out["partial"] = any(found.get("partial") for _place, found in tables)
    out["parts"] = [{"name": place[:120], "rows": found["rows"], "content": found.get("content")} for place, found in tables]
    out["joins"] = joins([(place, found) for place, found in tables])
    return out


def joins(tables) -> list[dict]:
    """How many values of an id column of one table are found in another's column of the same name."""
    ids = {}
    for place, found in tables:
        table = found.get("table")
        for column in table.columns if table else []:
            name = column.name.strip().lower()
            if (name == "id" or name.endswith(("_id", "id", "编号", "标识"))) and column.hashes is not None and len(column.hashes) <= KEPT_HASHES:
                ids.setdefault(name, []).append((place, set(column.hashes.tolist())))
    out = []
    for name, sets in sorted(ids.items()):
        whole = max(sets, key=lambda item: (len(item[1]), item[0]))
        for place, values in sets:
            if place != whole[0] and len(out) < 20:
                out.append({"column": name[:80], "from": place[:120], "to": whole[0][:120], "n": len(values), "count": len(values - whole[1])})
    return out
