"""What a file is, by its first bytes and only then by its name; cheap proofs of wholeness for formats not analysed here."""

import zipfile

from django.utils.translation import gettext_noop as _

from catalog.encoding import wide_name
from quality.profiling import limits

MAGIC = [
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"PK\x05\x06", "ZIP"),
    (b"fLaC", "FLAC"),
    (b"OggS", "OGG"),
    (b"ID3", "MP3"),
    (b"\xff\xfb", "MP3"),
    (b"\xff\xf3", "MP3"),
    (b"\xff\xf2", "MP3"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7Z"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ", "XZ"),
    (b"\x28\xb5\x2f\xfd", "ZSTD"),
    (b"SQLite format 3", "SQLite"),
    (b"\x89HDF", "HDF5"),
    (b"\x93NUMPY", "NumPy"),
    (b"ARROW1", "Arrow"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"\x1aE\xdf\xa3", "Matroska"),
    (b"\xd0\xcf\x11\xe0", "OLE"),
    (b"\x7fELF", "ELF"),
    (b"MZ", "EXE"),
]
NAMES = {
    "tsv": "TSV",
    "tab": "TSV",
    "csv": "CSV",
    "json": "JSON",
    "geojson": "JSON",
    "jsonl": "JSONL",
    "ndjson": "JSONL",
    "txt": "TEXT",
    "md": "TEXT",
}
RAW = {"pcm": "PCM", "raw": "RAW", "bin": "BIN", "pkl": "PICKLE", "pickle": "PICKLE", "pt": "PICKLE", "joblib": "PICKLE"}


def extension(name: str) -> str:
    name = name.lower().removesuffix(".gz")
    return name.rpartition(".")[2] if "." in name else ""


def sniff(head: bytes, name: str) -> str:
    """A format of MAGIC, a name of NAMES or RAW, or BINARY."""
    ext = extension(name)
    if ext in RAW and RAW[ext] == "PICKLE":
        return "PICKLE"
    if head[:4] == b"RIFF":
        return {b"WAVE": "WAV", b"AVI ": "AVI", b"WEBP": "WEBP"}.get(head[8:12], "RIFF")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "MOV" if ext == "mov" else "MP4"
    for magic, kind in MAGIC:
        if head.startswith(magic) and not (len(magic) == 2 and kind in ("BMP", "EXE") and b"\x00" not in head):
            return kind
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "PICKLE"
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or bool(wide_name(head))
    if ext in RAW:
        return RAW[ext]
    if b"\x00" in head and not wide:
        return "BINARY" if ext not in NAMES or head.count(0) * 10 > len(head) else NAMES[ext]
    return textual(head, ext)


def textual(head: bytes, ext: str) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if ext in ("json", "geojson"):
        return "JSON"
    if ext in NAMES:
        return NAMES[ext]
    if start[:1] == b"{":
        return "JSONL" if b"}\n{" in head or b"}\r\n{" in head else "JSON"
    return "JSON" if start[:1] == b"[" else "TEXT"


def incomplete(path, kind: str, size: int) -> str:
    """Why the file cannot be whole, or ""; looks at ends and counts only, decodes nothing."""
    with open(path, "rb") as stream:
        head = stream.read(64)
        stream.seek(max(0, size - 1024))
        tail = stream.read()
    if kind == "JPEG" and b"\xff\xd9" not in tail:
        return _("JPEG 文件不完整：没有结束标记。")
    if kind == "PNG" and b"IEND" not in tail:
        return _("PNG 文件不完整：没有 IEND 块。")
    if kind == "PDF" and b"%%EOF" not in tail:
        return _("PDF 文件不完整：没有 %%EOF 标记。")
    if kind in ("WAV", "AVI", "WEBP") and int.from_bytes(head[4:8], "little") + 8 > size + 1:
        return f"{kind} 文件不完整：声明 {int.from_bytes(head[4:8], 'little') + 8} 字节，实有 {size} 字节。"
    if kind == "ZIP" and not zipfile.is_zipfile(path):
        return _("ZIP 文件不完整：没有中央目录。")
    return ""


def _directory_bytes(path) -> int:
    """The size of the central directory that the end record states; 0 where there is none."""
    with open(path, "rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 65_557))
        tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    return int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0


def zip_kind(path) -> str:
    """XLSX, DOCX or ZIP by the member names; nothing is extracted. A giant list of members is not read."""
    if _directory_bytes(path) > limits.ZIP_DIRECTORY:
        return "ZIP"
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename for info in archive.infolist()[:200]}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "ZIP"
    return "XLSX" if "xl/workbook.xml" in names else "DOCX" if "word/document.xml" in names else "ZIP"
