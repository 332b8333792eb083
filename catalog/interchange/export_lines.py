"""The whole catalogue as CSV for spreadsheets and as NDJSON for programs, streamed."""

import csv
import io
from collections.abc import Iterator

import orjson

from catalog.cells import inert
from catalog.interchange.published import Entry

LINES = 200  # per piece sent
COLUMNS = (
    """identifier source_identifier title title_en summary keywords organization portal grade score sectors industry region modalities
    model_stages knowledge_tier cognition_layer languages record_count byte_size token_count license_type license license_url openness
    access_method update_frequency security_level issued modified temporal_start temporal_end rights_holder contact_email landing_page url"""
).split()


def csv_row(entry: Entry) -> list[str]:
    document = entry.document
    own = {
        "identifier": entry.identifier,
        "organization": document["organization"]["name"],
        "portal": entry.portal,
        "grade": entry.grade,
        "score": entry.score,
        "url": entry.url,
    }
    return [inert(own[name] if name in own else document.get(name)) for name in COLUMNS]


def catalog_csv(entries: Iterator[Entry]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for number, entry in enumerate(entries, start=1):
        writer.writerow(csv_row(entry))
        if number % LINES == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def listing_record(entry: Entry) -> dict:
    """The listing document with what names and grades it at this portal."""
    return {
        "uid": entry.uid,
        "identifier": entry.identifier,
        "portal": entry.portal,
        "url": entry.url,
        "grade": entry.grade,
        "score": None if entry.score is None else str(entry.score),
        "version": entry.version,
        "listed_at": entry.listed_at,
        "updated_at": entry.updated_at,
    } | entry.document


def dataset_json(entry: Entry) -> bytes:
    return orjson.dumps(listing_record(entry), option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)


def catalog_ndjson(entries: Iterator[Entry]) -> Iterator[bytes]:
    piece = []
    for entry in entries:
        piece.append(orjson.dumps(listing_record(entry), option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        if len(piece) == LINES:
            yield b"".join(piece)
            piece.clear()
    yield b"".join(piece)
