"""What a sample file is, told from its first bytes and its extension together. Reads nothing but the head; opens no archive."""

import re

from django.utils.translation import gettext as _

from catalog.exceptions import ListingInvalid
from catalog.formatting import in_a_row

HEAD = 4096  # bytes that decide
MEDIA_TYPES = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "txt": "text/plain",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "gz": "application/gzip",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "pdf": "application/pdf",
}
ALIASES = {"ndjson": "jsonl", "jpg": "jpeg", "tab": "tsv"}
TEXT = {"csv", "tsv", "json", "jsonl", "txt"}
MAGIC = {
    "parquet": re.compile(rb"PAR1"),
    "xlsx": re.compile(rb"PK\x03\x04"),
    "zip": re.compile(rb"PK(\x03\x04|\x05\x06)"),
    "gz": re.compile(rb"\x1f\x8b\x08"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "wav": re.compile(rb"RIFF....WAVE", re.S),
    "flac": re.compile(rb"fLaC"),
    "mp3": re.compile(rb"ID3|\xff[\xe2-\xff]"),
    "pdf": re.compile(rb"%PDF-"),
}
PROGRAM = re.compile(rb"MZ|\x7fELF|#!|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|dex\n")
MARKUP = re.compile(rb"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype|html|head|body|script|svg|iframe)\b", re.I | re.S)
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def refuse(code: str, message: str):
    raise ListingInvalid([{"pointer": "/samples", "code": code, "message": message}])


def detect(name: str, head: bytes) -> str:
    """The format's name; ListingInvalid with one sentence where bytes and extension do not make an allowed sample."""
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    stated = ALIASES.get(extension, extension)
    body = head.removeprefix(b"\xef\xbb\xbf")
    if PROGRAM.match(body) and stated not in ("mp3", "txt", "csv", "tsv"):
        refuse("executable", _("“%(name)s”是可执行文件，不能作为样例。") % {"name": name})
    if PROGRAM.match(body) and (b"\0" in head or body.startswith(b"#!")):
        refuse("executable", _("“%(name)s”的内容是程序或脚本，不能作为样例。") % {"name": name})
    if MARKUP.match(_ascii(head)):
        refuse("markup", _("“%(name)s”的内容是 HTML 或 SVG，可能带有脚本，不能作为样例。图像请用 PNG 或 JPEG。") % {"name": name})
    if stated not in MEDIA_TYPES:
        allowed = in_a_row(MEDIA_TYPES)
        refuse("format", _("不接受“%(name)s”这种文件。可以上传：%(allowed)s。") % {"name": name, "allowed": allowed})
    if stated in TEXT:
        _require_text(name, stated, head)
    elif not MAGIC[stated].match(head):
        refuse("mismatch", _("“%(name)s”的内容不是 %(format)s，请核对文件或改正扩展名。") % {"name": name, "format": stated.upper()})
    return stated


def _ascii(head: bytes) -> bytes:
    """UTF-16 text as bytes that the patterns above can read."""
    return head.replace(b"\0", b"").lstrip(b"\xff\xfe\xef\xbb\xbf")


def _require_text(name, stated, head):
    binary = next((other for other, magic in MAGIC.items() if other != "mp3" and magic.match(head)), "")
    if binary or (b"\0" in head and not head.startswith(BOMS)):
        refuse("mismatch", _("“%(name)s”的内容不是文字，和扩展名 .%(format)s 不符。") % {"name": name, "format": stated})
