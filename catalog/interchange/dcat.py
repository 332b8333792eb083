"""DCAT in RDF/XML, Turtle and JSON-LD: the graph's datasets, told as data.json entries. Nothing is fetched from the network."""

import logging
import re
from typing import Any

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from django.utils.translation import gettext as _
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, SKOS, Namespace

from catalog.interchange.datajson import from_datajson
from catalog.interchange.parsed import Parsed, RecordError, Unreadable

logging.getLogger("rdflib.term").setLevel(logging.ERROR)  # it warns of every odd literal of a foreign file
MAX_BYTES = 32 * 1024 * 1024
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
SCHEMA = Namespace("http://schema.org/")
SCHEMAS = Namespace("https://schema.org/")
VOID = Namespace("http://rdfs.org/ns/void#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
DC = Namespace("http://purl.org/dc/elements/1.1/")
TYPES = (DCAT.Dataset, VOID.Dataset, SCHEMA.Dataset, SCHEMAS.Dataset, URIRef(str(DCAT) + "DatasetSeries"))
NAMES = {  # predicate to data.json name, where the local name is another
    SKOS.prefLabel: "title",
    RDFS.label: "title",
    FOAF.page: "page",
    FOAF.homepage: "homepage",
    FOAF.name: "name",
    FOAF.mbox: "mbox",
    ADMS.contactPoint: "contactPoint",
    DC.subject: "keyword",
    SPDX.checksum: "checksum",
    SPDX.checksumValue: "checksumValue",
    DCTERMS.subject: "subject",
}
OURS = (str(DCAT), str(DCTERMS), str(VCARD), str(SCHEMA), str(SCHEMAS), str(DC))
LANGUAGES = ("zh-hans", "zh-cn", "zh", "zh-hant", "zh-tw", "en", "")
DEPTH = 4
LOCAL_CONTEXT = {
    "@vocab": str(DCAT),
    "dcat": str(DCAT),
    "dct": str(DCTERMS),
    "dcterms": str(DCTERMS),
    "foaf": str(FOAF),
    "vcard": str(VCARD),
    "skos": str(SKOS),
    "schema": str(SCHEMA),
    "owl": str(OWL),
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "adms": str(ADMS),
    "spdx": str(SPDX),
    **{
        name: f"{DCTERMS}{name}"
        for name in "title description issued modified identifier publisher creator language license rights spatial temporal".split()
    },
    **{name: f"{DCTERMS}{name}" for name in "accrualPeriodicity accessRights conformsTo format type provenance isPartOf hasPart source".split()},
    **{name: f"{VCARD}{name}" for name in ("fn", "hasEmail", "hasTelephone")},
    "name": str(FOAF.name),
    "mbox": str(FOAF.mbox),
    "homepage": str(FOAF.homepage),
}


def from_dcat(data: bytes, form: str) -> list[Parsed]:
    """All datasets of one RDF document; `form` is xml, turtle or json-ld. Unreadable names line and column."""
    if len(data) > MAX_BYTES:
        raise Unreadable(_("RDF 文件超过 32 MiB，请分成几个文件。"))
    graph = _graph(data, form)
    found = []
    for record, node in enumerate(_datasets(graph), 1):
        try:
            found.append(from_datajson(_entry(graph, node), record, catalog=_catalog(graph, node), form="dcat"))
        except RecordError as error:
            found.append(Parsed(record, error=error))
    return found


def _graph(data, form, tries=8) -> Graph:
    graph = Graph(bind_namespaces="none")
    if form == "xml":
        try:
            root = fromstring(data, forbid_dtd=True)  # rdflib's own reader has no guard
        except DefusedXmlException:
            raise Unreadable(_("XML 里有 DTD 或实体定义，为安全起见不读。")) from None
        except ParseError as error:
            raise Unreadable(_("XML 有误：第 %(line)d 行第 %(column)d 列。") % {"line": error.position[0], "column": error.position[1] + 1}) from None
        if not any("22-rdf-syntax-ns#" in name for name in (root.tag, *root.attrib)):
            raise Unreadable(_("XML 的根元素是 %(tag)s，不是 RDF。") % {"tag": re.sub(r"\{.*\}", "", root.tag)[:60]})
    if form == "json-ld":
        data = orjson.dumps(local_contexts(orjson.loads(data)))
    try:
        return graph.parse(data=data, format=form, publicID="urn:record:")
    except RecursionError:
        raise Unreadable(_("嵌套太深。")) from None
    except Exception as error:  # rdflib raises many kinds; all mean the text is not RDF
        if form == "turtle" and tries and (unbound := re.search(r'Prefix "([\w.-]*):" not bound', str(error))):
            # A forgotten @prefix costs the meaning of its own terms only; they are kept under a made-up name.
            return _graph(f"@prefix {unbound[1]}: <urn:unbound-prefix:{unbound[1]}:> .\n".encode() + data, form, tries - 1)
        line = getattr(error, "lines", None)
        where = _("第 %(line)d 行：") % {"line": line + 1} if isinstance(line, int) else ""
        said = getattr(error, "_why", None) or re.sub(r"\s+", " ", str(error))[:200]
        raise Unreadable(_("不是有效的 RDF（%(form)s）：%(where)s%(error)s") % {"form": form, "where": where, "error": said}) from None


def local_contexts(value: Any) -> Any:
    """Contexts named by address are replaced by a local one: no document may make this portal fetch another."""
    if isinstance(value, list):
        return [local_contexts(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: local_contexts(item) for key, item in value.items() if key != "@import"}
    if "@context" in value:
        contexts = value["@context"] if isinstance(value["@context"], list) else [value["@context"]]
        result["@context"] = [LOCAL_CONTEXT if isinstance(item, str) else _without_imports(item) for item in contexts]
    return result


def _without_imports(context):
    if isinstance(context, dict):
        return {key: _scoped(item) for key, item in context.items() if key != "@import"}
    return context


def _scoped(item):
    """A term definition may carry a scoped context, by address too."""
    if isinstance(item, dict) and isinstance(item.get("@context"), str | list):
        return {key: inner for key, inner in item.items() if key != "@context"}
    return item


def _datasets(graph) -> list:
    nodes = {node for kind in TYPES for node in graph.subjects(RDF.type, kind)} | set(graph.objects(None, DCAT.dataset))
    nodes = {node for node in nodes if not isinstance(node, Literal) and (node, None, None) in graph}
    return sorted(nodes, key=lambda node: (str(node) if isinstance(node, URIRef) else "~", _order(graph, node)))


def _entry(graph, node) -> dict:
    entry = _properties(graph, node, DEPTH, {node})
    entry.pop("dataset", None)
    if isinstance(node, URIRef) and not str(node).startswith("urn:record:"):
        entry["@id"] = str(node)
        if "identifier" not in entry:
            entry["identifier"] = str(node)
    entry.pop("type", None) if isinstance(entry.get("type"), list) and not entry["type"] else None
    return entry


def _catalog(graph, node) -> dict:
    for catalog in [*graph.subjects(DCAT.dataset, node), *graph.subjects(RDF.type, DCAT.Catalog)]:
        found = _properties(graph, catalog, 2, {catalog, node}, only={"publisher", "license"})
        if found:
            return found
    return {}


def _properties(graph, node, depth, path, only=None) -> dict:
    by_name: dict[str, list] = {}
    for predicate, value in sorted(graph.predicate_objects(node), key=lambda pair: (str(pair[0]), _order(graph, pair[1]))):
        name = _name(predicate)
        if predicate == RDF.type or name == "dataset" or (only and name not in only):
            continue
        by_name.setdefault(name, []).append(value)
    return {name: _said(graph, found, depth, path) for name, found in by_name.items()}


def _order(graph, value, depth=2) -> str:
    """A stable sort key: the names of blank nodes are new in every run, what they say is not."""
    if not isinstance(value, BNode):
        return str(value)
    if depth == 0:
        return ""
    return "\n".join(sorted(f"{predicate} {_order(graph, item, depth - 1)}" for predicate, item in graph.predicate_objects(value)))


def _name(predicate) -> str:
    if predicate in NAMES:
        return NAMES[predicate]
    said = str(predicate)
    return next((said[len(base) :] for base in OURS if said.startswith(base)), said)


def _said(graph, found, depth, path):
    literals = [item for item in found if isinstance(item, Literal)]
    if len(literals) == len(found):
        return _literals(literals)
    items = [str(item) if isinstance(item, Literal) else _node(graph, item, depth, path) for item in found]
    return items[0] if len(items) == 1 else items


def _literals(literals):
    tags = {(item.language or "").lower() for item in literals}
    if len(literals) > 1 and len(tags) == len(literals):
        ordered = sorted(literals, key=lambda item: _rank((item.language or "").lower()))
        return [{"@value": str(item), "@language": item.language or ""} for item in ordered]
    if len(tags) > 1:  # keywords in several languages
        best = min(tags, key=_rank)
        literals = [item for item in literals if (item.language or "").lower() == best]
    said = [str(item) for item in literals]
    return said[0] if len(said) == 1 else said


def _rank(tag):
    return LANGUAGES.index(tag) if tag in LANGUAGES else len(LANGUAGES)


def _node(graph, node, depth, path):
    known = (node, None, None) in graph
    if depth == 0 or node in path or not known:
        return str(node) if isinstance(node, URIRef) else {}
    inner = _properties(graph, node, depth - 1, path | {node})
    if isinstance(node, URIRef):
        inner.setdefault("@id", str(node))
    for begin, end in (("startDate", "endDate"), ("hasBeginning", "hasEnd")):
        if begin in inner or end in inner:
            inner |= {"start": _instant(inner.get(begin)), "end": _instant(inner.get(end))}
    return inner


def _instant(value):
    if isinstance(value, dict):
        return next((item for key, item in value.items() if "xsd" in key.lower() or "Date" in key), None)
    return value
