"""Which encoding a catalogue file is in: byte order mark, strict UTF-8, then what decodes strictly and reads like words."""

import codecs
from pathlib import Path

from django.utils.translation import gettext as _

from catalog.interchange.parsed import Unreadable

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMON = set(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "数据集名称资料来源部门单位类别更新时间描述关键词编号序格式频率机关提供开放下载市县省区政府局公司统计信息管理服务交通卫生教育日月每"
    "這個國時來們對會發動過說產種後學經數據稱資門單類別間關鍵詞編號機關開載縣區統計訊務衛動無業報處場車環設總額點臺東"
)
KINDS = {
    b"PK\x03\x04": "ZIP / Excel",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "Excel (xls) / Word",
    b"\x1f\x8b": "gzip",
    b"SQLite f": "SQLite",
    b"PAR1": "Parquet",
}
CHUNK = 1024 * 1024


def detect(path: Path) -> str:
    """A codec name that decodes the whole file strictly; Unreadable with the position of the first bad byte."""
    with open(path, "rb") as stream:
        head = stream.read(CHUNK)
    return detect_bytes(head) if len(head) < CHUNK else _detect_large(path, head)


def detect_bytes(data: bytes) -> str:
    if name := _certain(data):
        _require(data, name)
        return name
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        _refuse_broken_utf8(data, error)
        return _legacy(data, error)


def _certain(head):
    for magic, kind in KINDS.items():
        if head.startswith(magic):
            raise Unreadable(_("这是 %(kind)s 文件，不是目录文本；请另存为 CSV 或 JSON 再导入。") % {"kind": kind})
    for bom, name in BOMS:
        if head.startswith(bom):
            return name
    sample = head[:4000]
    if b"\0" in sample and (name := max(("utf-16-le", "utf-16-be"), key=lambda name: _readable(sample, name))) and _readable(sample, name) > 0.5:
        return name
    if b"\0" in sample:
        raise Unreadable(_("这是二进制文件（第 %(place)d 字节是 0），不是目录文本。") % {"place": sample.index(0) + 1})
    return ""


def _readable(sample, name):
    """Share of ASCII and common Chinese characters."""
    said = sample[: len(sample) // 2 * 2].decode(name, "replace")
    return sum(char in COMMON or " " <= char <= "~" or char in "\r\n\t，。、；：" for char in said) / max(len(said), 1)


def _require(data, name):
    try:
        data.decode(name)
    except UnicodeDecodeError as error:
        raise _bad(name, error.start) from None


def _bad(name, start, data=b""):
    line = data[:start].count(b"\n") + 1
    return Unreadable(_("编码有误：按 %(name)s 读，第 %(place)d 字节（第 %(line)d 行）读不出。") % {"name": name, "place": start + 1, "line": line})


def _refuse_broken_utf8(data, error):
    """A UTF-8 file with a broken byte must not be taken for a legacy one: valid sequences do not come by chance."""
    valid = sum(1 for char in data[: error.start].decode("utf-8") if ord(char) > 127)
    after = data[error.start + 1 :].decode("utf-8", "ignore")
    bad = len(data) - error.start - 1 - len(after.encode())
    if valid >= 4 or sum(1 for char in after if ord(char) > 0x7FF) > 4 * max(bad, 1):
        raise _bad("UTF-8", error.start, data)


def _legacy(data, error):
    high = sum(1 for byte in data if byte > 127)
    best = max(((_score(data, name), name) for name in ("cp950", "gb18030", "big5hkscs")), default=(0, ""))
    if best[0] > 0.15:
        return best[1]
    alone = sum(1 for place in range(1, len(data) - 1) if data[place] > 127 and data[place - 1] < 128 and data[place + 1] < 128)
    if high and alone / high > 0.6:
        return _first_that_decodes(data, ("cp1252", "latin-1"))
    if best[0] > 0.02:
        return best[1]
    raise _bad("UTF-8", error.start, data)


def _score(data, name):
    """Share of frequent characters among the Chinese ones; 0 where it does not decode strictly."""
    try:
        said = data.decode(name)
    except UnicodeDecodeError:
        return 0.0
    chinese = [char for char in said if "\u4e00" <= char <= "\u9fff" or "\ue000" <= char <= "\uf8ff"]
    return sum(char in COMMON for char in chinese) / len(chinese) if chinese else 0.0


def _first_that_decodes(data, names):
    for name in names:
        try:
            data.decode(name)
            return name
        except UnicodeDecodeError:
            continue
    return names[-1]


def _detect_large(path, head):
    """Decide on the head, then read the whole file strictly."""
    name = _certain(head)
    if not name:
        cut = head[: head.rfind(b"\n") + 1] or head[:-4]
        name = detect_bytes(cut)
    for tried in [name, "gb18030", "cp950"] if name == "utf-8" and head.isascii() else [name]:
        place = _first_bad(path, tried)
        if place is None:
            return tried
    raise _bad(name, place if name == tried else _first_bad(path, name) or 0)


def _first_bad(path, name):
    decoder, offset = codecs.getincrementaldecoder(name)("strict"), 0
    with open(path, "rb") as stream:
        while True:
            chunk = stream.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return offset - pending + error.start
            if not chunk:
                return None
            offset += len(chunk)
