"""Which encoding a catalogue file is in. What holds a bad byte is refused with its place: a catalogue is text or it is not."""

from pathlib import Path

from django.utils.translation import gettext as _

from catalog import encoding
from catalog.interchange.parsed import Unreadable

KINDS = {
    b"PK\x03\x04": "ZIP / Excel",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "Excel (xls) / Word",
    b"\x1f\x8b": "gzip",
    b"SQLite f": "SQLite",
    b"PAR1": "Parquet",
}
HEAD = 4000
# Windows' supersets hold the characters that people really typed.
WIDER = {"big5": ("cp950", "big5hkscs"), "gbk": ("gb18030",), "latin-1": ("cp1252", "latin-1")}


def detect(source: Path | bytes) -> str:
    """A codec name that decodes the whole file strictly; Unreadable with the position of the first bad byte."""
    with encoding.opened(source) as stream:
        refuse_binary(stream.read(HEAD))
    found = encoding.detect(source)
    for name in WIDER.get(found.name, ()):
        if encoding.decodes(source, name):
            return name
    if found.bad_bytes:
        raise Unreadable(
            _("编码有误：按 %(name)s 读，第 %(place)d 字节（第 %(line)d 行）读不出。")
            % {"name": found.name, "place": found.first_bad_byte, "line": found.first_bad_line}
        )
    return found.name


def refuse_binary(head: bytes) -> None:
    for magic, kind in KINDS.items():
        if head.startswith(magic):
            raise Unreadable(_("这是 %(kind)s 文件，不是目录文本；请另存为 CSV 或 JSON 再导入。") % {"kind": kind})
    marked = any(head.startswith(mark) for mark, _name in encoding.BOMS)
    if b"\0" in head and not marked and not encoding.wide_name(head):
        raise Unreadable(_("这是二进制文件（第 %(place)d 字节是 0），不是目录文本。") % {"place": head.index(0) + 1})
