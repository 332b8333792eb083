"""data.json (DCAT-US 1.1), streamed."""

from collections.abc import Iterator

import orjson

from catalog.interchange.export_croissant import address
from catalog.interchange.export_dcat import is_address
from catalog.interchange.published import Entry, base_url

SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"
ACCESS = {"open": "public", "conditional": "restricted public", "closed": "non-public"}
FREQUENCIES = {  # ISO 8601 repeating intervals
    "realtime": "R/PT1S",
    "daily": "R/P1D",
    "weekly": "R/P1W",
    "monthly": "R/P1M",
    "quarterly": "R/P3M",
    "half_yearly": "R/P6M",
    "annual": "R/P1Y",
    "irregular": "irregular",
}


def catalog_datajson(entries: Iterator[Entry]) -> Iterator[bytes]:
    head = {
        "@context": f"{SCHEMA}/catalog.jsonld",
        "@id": f"{base_url()}/data.json",
        "@type": "dcat:Catalog",
        "conformsTo": SCHEMA,
        "describedBy": f"{SCHEMA}/catalog.json",
    }
    yield orjson.dumps(head)[:-1] + b',"dataset":[\n'
    for number, entry in enumerate(entries):
        yield (b",\n" if number else b"") + orjson.dumps(dataset_record(entry))
    yield b"\n]}\n"


def dataset_record(entry: Entry) -> dict:
    document = entry.document
    record = {
        "@type": "dcat:Dataset",
        "identifier": entry.identifier,
        "title": document["title"],
        "description": document.get("description") or document.get("summary") or document["title"],
        "keyword": document.get("keywords") or document.get("sectors") or [document["title"]],
        "modified": document.get("modified") or entry.updated_at.date().isoformat(),
        "publisher": {"@type": "org:Organization", "name": document["organization"]["name"]},
        "contactPoint": contact(document),
        "accessLevel": ACCESS[document.get("openness", "conditional")],
        "landingPage": entry.url,
    }
    return record | {key: value for key, value in optional(document) if value}


def contact(document) -> dict:
    node = {"@type": "vcard:Contact", "fn": document.get("contact_name") or document["organization"]["name"]}
    if document.get("contact_email"):
        node["hasEmail"] = f"mailto:{document['contact_email']}"
    return node


def optional(document):
    yield "issued", document.get("issued")
    yield "license", document.get("license_url") if is_address(document.get("license_url")) else None
    yield "rights", document.get("license") or document.get("access_note")
    yield "spatial", document.get("region")
    if document.get("temporal_start") and document.get("temporal_end"):
        yield "temporal", f"{document['temporal_start']}/{document['temporal_end']}"
    yield "theme", document.get("sectors")
    yield "language", document.get("languages")
    yield "accrualPeriodicity", FREQUENCIES.get(document.get("update_frequency"))
    yield "distribution", [distribution(item) for item in document.get("resources", []) if address(item)]


def distribution(item: dict) -> dict:
    node = {"@type": "dcat:Distribution", "title": item["name"]}
    if is_address(item.get("download_url")):
        # The schema asks for the media type of whatever can be downloaded.
        node |= {"downloadURL": item["download_url"], "mediaType": item.get("media_type") or "application/octet-stream"}
    if is_address(item.get("access_url")):
        node["accessURL"] = item["access_url"]
    return node | {key: item[key] for key in ("description", "format") if item.get(key)}
