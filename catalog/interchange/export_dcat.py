"""DCAT 3 as JSON-LD and Turtle. What DCAT has no property for goes under our own namespace, with the listing's key as name.

Keys are prefixed names throughout, so that a node reads the same in both forms and a catalogue can be streamed.
"""

from collections.abc import Iterator

import orjson

from catalog.interchange.published import Entry, base_url
from catalog.listing import FIELDS
from catalog.models import Dataset

AUTHORITY = "http://publications.europa.eu/resource/authority"
FREQUENCIES = {  # EU frequency codes, as DCAT-AP asks
    "realtime": "UPDATE_CONT",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2",
    "annual": "ANNUAL",
    "irregular": "IRREG",
    "never": "NEVER",
}
ACCESS = {"open": "PUBLIC", "conditional": "RESTRICTED", "closed": "NON_PUBLIC"}
# Keys that a DCAT property carries whole; they are not repeated under our namespace.
COVERED = set(
    """title title_en description keywords landing_page contact_name contact_email issued modified temporal_start temporal_end
    license_url citation source_identifier""".split()
)
PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
IRI_UNSAFE = {ord(char): f"%{ord(char):02X}" for char in '<>"{}|\\^` '} | {code: f"%{code:02X}" for code in range(0x20)}


def prefixes() -> dict[str, str]:
    return PREFIXES | {"jimu": namespace()}


def namespace() -> str:
    return f"{base_url()}/ns/listing#"


def iri(value: str) -> dict:
    return {"@id": value.translate(IRI_UNSAFE)}


def is_address(value) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://")) and len(value) > 10


def text(value: str, language: str) -> dict:
    return {"@value": value, "@language": language}


def typed(value, datatype: str) -> dict:
    return {"@value": value, "@type": datatype}


def dataset_node(entry: Entry) -> dict:
    """One dcat:Dataset with everything nested."""
    document = entry.document
    node = {"@id": entry.url, "@type": "dcat:Dataset", "dct:identifier": entry.identifier}
    node |= {key: value for key, value in _described(document) if value}
    node["dct:publisher"] = agent(document["organization"]["name"], document["organization"]["uid"])
    if distributions := [distribution(entry, item) for item in document.get("resources", [])]:
        node["dcat:distribution"] = distributions
    if samples := [sample(entry, item) for item in document.get("samples", [])]:
        node["adms:sample"] = samples
    if entry.version:
        node["dcat:version"] = str(entry.version)
    node |= {"jimu:home_portal": entry.portal}
    node |= {f"jimu:{key}": value for key, value in (("grade", entry.grade), ("assurance", entry.assurance)) if value}
    if entry.score is not None:
        node["jimu:score"] = typed(str(entry.score), "xsd:decimal")
    return node | dict(extensions(document))


def _described(document):
    yield "dct:title", [text(document["title"], "zh-Hans")] + ([text(document["title_en"], "en")] if document.get("title_en") else [])
    if written := document.get("description") or document.get("summary"):
        yield "dct:description", text(written, "zh-Hans")
    yield "dcat:keyword", [text(word, "zh-Hans") for word in document.get("keywords", [])]
    yield "dcat:theme", [iri(f"{base_url()}/api/v1/vocabularies/sector/#{code}") for code in document.get("sectors", [])]
    yield (
        "adms:identifier",
        document.get("source_identifier")
        and {
            "@type": "adms:Identifier",
            "skos:notation": document["source_identifier"],
        },
    )
    if is_address(document.get("landing_page")):
        yield "dcat:landingPage", iri(document["landing_page"])
    yield "dcat:contactPoint", contact(document)
    for key, name in (("issued", "dct:issued"), ("modified", "dct:modified")):
        yield name, document.get(key) and typed(document[key], "xsd:date")
    yield "dct:temporal", period(document)
    if document.get("region"):
        yield "dct:spatial", {"@type": "dct:Location", "dct:identifier": document["region"]}
    yield "dct:language", document.get("languages")
    if document.get("update_frequency") in FREQUENCIES:
        yield "dct:accrualPeriodicity", iri(f"{AUTHORITY}/frequency/{FREQUENCIES[document['update_frequency']]}")
    yield "dct:accessRights", iri(f"{AUTHORITY}/access-right/{ACCESS[document.get('openness', 'conditional')]}")
    yield "dct:license", license_node(document)
    if document.get("rights_holder"):
        yield "dct:rightsHolder", agent(document["rights_holder"])
    yield "dct:conformsTo", [{"@type": "dct:Standard", "dct:title": name} for name in document.get("standards", [])]
    yield "dct:bibliographicCitation", document.get("citation")


def agent(name: str, uid: str = "") -> dict:
    node = {"@type": "foaf:Organization", "foaf:name": name}
    return {"@id": f"{base_url()}/organizations/{uid}/"} | node if uid else node


def contact(document) -> dict | None:
    node = {"@type": "vcard:Kind"}
    if document.get("contact_name"):
        node["vcard:fn"] = document["contact_name"]
    if document.get("contact_email"):
        node["vcard:hasEmail"] = iri(f"mailto:{document['contact_email']}")
    return node if len(node) > 1 else None


def period(document) -> dict | None:
    node = {"@type": "dct:PeriodOfTime"}
    for key, name in (("temporal_start", "dcat:startDate"), ("temporal_end", "dcat:endDate")):
        if document.get(key):
            node[name] = typed(document[key], "xsd:date")
    return node if len(node) > 1 else None


def license_node(document) -> dict | None:
    if is_address(document.get("license_url")):
        return iri(document["license_url"])
    return {"@type": "dct:LicenseDocument", "dct:title": document["license"]} if document.get("license") else None


def distribution(entry: Entry, item: dict) -> dict:
    service = item.get("kind") == "service"
    node = {"@id": f"{entry.url}#{item['uid']}", "@type": "dcat:Distribution", "dct:title": item["name"]}
    if item.get("description"):
        node["dct:description"] = item["description"]
    if item.get("format"):
        node["dct:format"] = item["format"]
    if item.get("media_type"):
        node["dcat:mediaType"] = iri(f"https://www.iana.org/assignments/media-types/{item['media_type']}")
    if item.get("byte_size"):
        node["dcat:byteSize"] = typed(str(item["byte_size"]), "xsd:nonNegativeInteger")
    if item.get("sha256"):
        algorithm = iri("http://spdx.org/rdf/terms#checksumAlgorithm_sha256")
        node["spdx:checksum"] = {"@type": "spdx:Checksum", "spdx:algorithm": algorithm, "spdx:checksumValue": item["sha256"]}
    node["dcat:accessURL"] = iri(item["access_url"]) if is_address(item.get("access_url")) else iri(entry.url)
    if is_address(item.get("download_url")) and not service:
        node["dcat:downloadURL"] = iri(item["download_url"])
    return node


def sample(entry: Entry, item: dict) -> dict:
    node = distribution(entry, item)
    return node | {"dcat:accessURL": iri(f"{entry.url}#samples")}


def extensions(document) -> Iterator[tuple[str, object]]:
    """The listing's own keys: words as strings, lists repeated, objects as JSON literals."""
    for key in FIELDS:
        value = document.get(key)
        if value is None or key in COVERED:
            continue
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            value = {"@value": value, "@type": "@json"}
        yield f"jimu:{key}", value


def catalog_node() -> dict:
    from django.conf import settings

    return {
        "@id": f"{base_url()}/",
        "@type": "dcat:Catalog",
        "dct:title": text(settings.PORTAL_NAME, "zh-Hans"),
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": settings.PORTAL_NAME},
        "foaf:homepage": iri(f"{base_url()}/"),
    }


def dataset_jsonld(entry: Entry) -> bytes:
    return orjson.dumps({"@context": prefixes()} | dataset_node(entry), option=orjson.OPT_INDENT_2)


def catalog_jsonld(entries: Iterator[Entry]) -> Iterator[bytes]:
    """One dcat:Catalog whose datasets are written as they are read."""
    head = orjson.dumps({"@context": prefixes()} | catalog_node())
    yield head[:-1] + b',"dcat:dataset":[\n'
    for number, entry in enumerate(entries):
        yield (b",\n" if number else b"") + orjson.dumps(dataset_node(entry))
    yield b"\n]}\n"


def catalog_turtle(entries: Iterator[Entry]) -> Iterator[bytes]:
    """The same graph in Turtle: prefixes, then one block per dataset."""
    yield "".join(f"@prefix {name}: <{address}> .\n" for name, address in prefixes().items()).encode()
    yield f"\n{turtle_block(catalog_node())}".encode()
    catalog = f"<{base_url()}/>"
    for entry in entries:
        yield f"\n{catalog} dcat:dataset <{entry.url}> .\n{turtle_block(dataset_node(entry))}".encode()


def dataset_turtle(entry: Entry) -> bytes:
    head = "".join(f"@prefix {name}: <{address}> .\n" for name, address in prefixes().items())
    return f"{head}\n{turtle_block(dataset_node(entry))}".encode()


def turtle_block(node: dict) -> str:
    """A named node and everything nested; nested nodes that have a name become blocks of their own."""
    named: list[dict] = []
    block = f"<{node['@id']}> {_predicates(node, named)} .\n"
    return block + "".join(turtle_block(inner) for inner in named)


def _predicates(node, named) -> str:
    parts = [f"a {node['@type']}"] if "@type" in node else []
    for key, value in node.items():
        if not key.startswith("@"):
            values = value if isinstance(value, list) else [value]
            if values:
                parts.append(f"{key} {', '.join(_term(item, named) for item in values)}")
    return " ;\n    ".join(parts)


def _term(value, named) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if "@value" in value:
        return _literal(value)
    if "@id" in value:
        if len(value) > 1:
            named.append(value)
        return f"<{value['@id']}>"
    return f"[ {_predicates(value, named)} ]"


def _literal(value) -> str:
    if "@language" in value:
        return f"{_quoted(value['@value'])}@{value['@language']}"
    if value["@type"] == "@json":
        return f"{_quoted(orjson.dumps(value['@value'], option=orjson.OPT_SORT_KEYS).decode())}^^rdf:JSON"
    return f"{_quoted(str(value['@value']))}^^{value['@type']}"


def _quoted(value: str) -> str:
    """JSON's escapes are Turtle's as well."""
    return orjson.dumps(value).decode()


def vocabulary_jsonld() -> bytes:
    """What our own properties mean, at the address of their namespace."""
    properties = [
        {
            "@id": f"jimu:{name}",
            "@type": "rdf:Property",
            "rdfs:label": text(str(Dataset._meta.get_field(name).verbose_name), "zh-Hans"),
            "rdfs:isDefinedBy": iri(namespace()),
        }
        for name in FIELDS
        if name not in COVERED
    ]
    return orjson.dumps({"@context": prefixes(), "@graph": properties}, option=orjson.OPT_INDENT_2)
