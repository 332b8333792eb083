"""OAI-PMH 2.0: records as Dublin Core and as DCAT in RDF/XML, with deletions that are kept for ever.

A datestamp is the time of the record's last change at this portal. A listing that was on offer and is no longer (delisted, suspended, taken
down) answers as deleted. Resumption tokens hold the whole question, so that nothing is stored for a harvester that never comes back.
"""

import base64
import binascii
import re
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import orjson
from django.conf import settings
from django.db.models import Min, Q
from django.utils import timezone

from catalog.interchange.export_dcat import dataset_node, prefixes
from catalog.interchange.export_feeds import clean, held
from catalog.interchange.published import Entry, base_url, entries
from catalog.models import Dataset, Portal

BATCH = 100
STAMP = "%Y-%m-%dT%H:%M:%SZ"
DAY, SECOND = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
VERBS = {  # verb -> (required arguments, optional ones)
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
}
FORMATS = {  # prefix -> (schema, namespace)
    "oai_dc": ("http://www.openarchives.org/OAI/2.0/oai_dc.xsd", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
    "dcat": ("https://www.w3.org/ns/dcat3.rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
}
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
)


class OaiError(Exception):
    """One of the protocol's error codes with a sentence; answered with status 200, as the protocol asks."""

    def __init__(self, code: str, message: str):
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class Selection:
    """What a list asks for, and after which (datestamp, key) it goes on; `seen` rows were given already."""

    prefix: str
    since: str = ""
    until: str = ""
    set: str = ""
    stamp: str = ""
    pk: int = 0
    seen: int = 0
    total: int = 0

    def token(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(astuple(self))).decode().rstrip("=")


def answer(arguments: dict[str, list[str]]) -> bytes:
    """The whole response document to the arguments of a request."""
    try:
        verb, given = _checked(arguments)
        body = ANSWERS[verb](given)
    except OaiError as error:
        told = {} if error.code in ("badVerb", "badArgument") else {name: values[0] for name, values in arguments.items()}
        return _document(told, f'<error code="{error.code}">{clean(str(error))}</error>')
    return _document({"verb": verb} | given, f"<{verb}>\n{body}\n</{verb}>")


def _document(arguments: dict[str, str], body: str) -> bytes:
    told = "".join(f" {name}={quoteattr(held(value))}" for name, value in arguments.items())
    now = timezone.now().astimezone(UTC).strftime(STAMP)
    return f"{HEAD}<responseDate>{now}</responseDate>\n<request{told}>{clean(base_url())}/oai</request>\n{body}\n</OAI-PMH>\n".encode()


def _checked(arguments: dict[str, list[str]]) -> tuple[str, dict[str, str]]:
    verbs = arguments.get("verb", [])
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise OaiError("badVerb", f"verb must be one of {', '.join(VERBS)}, once.")
    required, optional = VERBS[verbs[0]]
    given = {name: values for name, values in arguments.items() if name != "verb"}
    for name, values in given.items():
        if name not in (*required, *optional):
            raise OaiError("badArgument", f"{verbs[0]} does not take {name[:60]}.")
        if len(values) != 1:
            raise OaiError("badArgument", f"{name} is given more than once.")
    if "resumptionToken" in given and len(given) > 1:
        raise OaiError("badArgument", "resumptionToken stands alone.")
    if "resumptionToken" not in given:
        for name in required:
            if not given.get(name, [""])[0]:
                raise OaiError("badArgument", f"{verbs[0]} needs {name}.")
    return verbs[0], {name: values[0] for name, values in given.items()}


# --- verbs


def _identify(given) -> str:
    first = _known().aggregate(first=Min("updated_at"))["first"] or timezone.now()
    mail = settings.PORTAL_CONTACT_EMAIL or f"postmaster@{urlsplit(base_url()).hostname}"
    return (
        f"<repositoryName>{clean(settings.PORTAL_NAME)}</repositoryName>\n<baseURL>{clean(base_url())}/oai</baseURL>\n"
        f"<protocolVersion>2.0</protocolVersion>\n<adminEmail>{clean(mail)}</adminEmail>\n"
        f"<earliestDatestamp>{first.astimezone(UTC).strftime(STAMP)}</earliestDatestamp>\n"
        "<deletedRecord>persistent</deletedRecord>\n<granularity>YYYY-MM-DDThh:mm:ssZ</granularity>"
    )


def _list_metadata_formats(given) -> str:
    if "identifier" in given:
        _one(given["identifier"])
    return "\n".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>{schema}</schema>"
        f"<metadataNamespace>{namespace}</metadataNamespace></metadataFormat>"
        for prefix, (schema, namespace) in FORMATS.items()
    )


def _list_sets(given) -> str:
    """One set for each home portal."""
    if "resumptionToken" in given:
        raise OaiError("badResumptionToken", "The list of sets is given whole.")
    rows = Portal.objects.order_by("pk").values_list("pk", "name")
    return "\n".join(f"<set><setSpec>{_spec(pk)}</setSpec><setName>{clean(name)}</setName></set>" for pk, name in rows)


def _get_record(given) -> str:
    _format(given["metadataPrefix"])
    return _records([_one(given["identifier"])], given["metadataPrefix"])


def _list_identifiers(given) -> str:
    return _listed(given, lambda rows, _prefix: "\n".join(_header(row) for row in rows))


def _list_records(given) -> str:
    return _listed(given, _records)


def _listed(given, write) -> str:
    asked = _selection(given)
    rows = _selected(asked)
    total = asked.total or rows.count()
    if asked.pk:
        at = datetime.fromisoformat(asked.stamp)
        rows = rows.filter(Q(updated_at__gt=at) | Q(updated_at=at, pk__gt=asked.pk))
    page = list(rows.order_by("updated_at", "pk")[: BATCH + 1])
    if not page:
        raise OaiError("noRecordsMatch", "Nothing fulfils these conditions.")
    more, page = len(page) > BATCH, page[:BATCH]
    body = write(page, asked.prefix)
    if not more and not asked.pk:
        return body
    following = replace(asked, stamp=page[-1].updated_at.isoformat(), pk=page[-1].pk, seen=asked.seen + len(page), total=total)
    token = following.token() if more else ""
    return f'{body}\n<resumptionToken completeListSize="{max(total, following.seen)}" cursor="{asked.seen}">{token}</resumptionToken>'


ANSWERS = {
    "Identify": _identify,
    "ListMetadataFormats": _list_metadata_formats,
    "ListSets": _list_sets,
    "GetRecord": _get_record,
    "ListIdentifiers": _list_identifiers,
    "ListRecords": _list_records,
}

# --- what is asked


def _selection(given) -> Selection:
    if "resumptionToken" in given:
        return _resumed(given["resumptionToken"])
    _format(given["metadataPrefix"])
    since, until = given.get("from", ""), given.get("until", "")
    for name, value in (("from", since), ("until", until)):
        if value:
            _moment(name, value)
    if since and until and len(since) != len(until):
        raise OaiError("badArgument", "from and until must have the same granularity.")
    if since and until and since > until:
        raise OaiError("badArgument", "from is later than until.")
    return Selection(given["metadataPrefix"], since, until, given.get("set", ""))


def _resumed(token: str) -> Selection:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(token[:600] + "=" * (-len(token[:600]) % 4)))
        asked = Selection(*values)
        fits = all(type(value) is type(field.default) for value, field in zip(values[1:], fields(asked)[1:], strict=True))
        if not fits or asked.prefix not in FORMATS or not 0 < asked.pk < 2**63 or datetime.fromisoformat(asked.stamp).tzinfo is None:
            raise ValueError
        for value in (asked.since, asked.until):
            if value:
                _moment("resumptionToken", value)
    except (ValueError, TypeError, binascii.Error, OaiError):
        raise OaiError("badResumptionToken", "This token is not one of ours.") from None
    return asked


def _moment(name: str, value: str, *, end: bool = False) -> datetime:
    """A day or a second in UTC; with `end` the first moment after it."""
    try:
        if DAY.fullmatch(value):
            at, length = datetime.strptime(value, "%Y-%m-%d"), timedelta(days=1)
        elif SECOND.fullmatch(value):
            at, length = datetime.strptime(value, STAMP), timedelta(seconds=1)
        else:
            raise ValueError
        return (at + length if end else at).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise OaiError("badArgument", f"{name} must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.") from None


def _format(prefix: str) -> None:
    if prefix not in FORMATS:
        raise OaiError("cannotDisseminateFormat", f"metadataPrefix must be one of {', '.join(FORMATS)}.")


# --- rows


def _known():
    """On offer now, or once."""
    offered = Dataset.objects.published().values("pk")
    return Dataset.objects.filter(Q(pk__in=offered) | Q(pk__in=Dataset.objects.tombstones().values("pk")))


def _selected(asked: Selection):
    rows = _known()
    if asked.since:
        rows = rows.filter(updated_at__gte=_moment("from", asked.since))
    if asked.until:
        rows = rows.filter(updated_at__lt=_moment("until", asked.until, end=True))
    if asked.set:
        rows = rows.filter(home_portal=asked.set.removeprefix("portal:")) if asked.set.startswith("portal:") else rows.none()
    return rows


def _one(identifier: str) -> Dataset:
    row = _known().filter(identifier=identifier[:300].replace("\x00", "")).first()
    if row is None:
        raise OaiError("idDoesNotExist", "There is no record of this identifier.")
    return row


def _spec(portal: str) -> str:
    return f"portal:{clean(portal)}"


def _header(row: Dataset, *, deleted: bool | None = None) -> str:
    gone = not row.is_public if deleted is None else deleted
    return (
        f"<header{' status=' + quoteattr('deleted') if gone else ''}><identifier>{clean(row.identifier)}</identifier>"
        f"<datestamp>{row.updated_at.astimezone(UTC).strftime(STAMP)}</datestamp><setSpec>{_spec(row.home_portal)}</setSpec></header>"
    )


def _records(rows: list[Dataset], prefix: str) -> str:
    found = {entry.uid: entry for entry in entries(Dataset.objects.published().filter(pk__in=[row.pk for row in rows]))}
    write = {"oai_dc": _dublin_core, "dcat": _dcat}[prefix]
    parts = []
    for row in rows:
        entry = found.get(str(row.uid))
        body = f"<metadata>{write(entry)}</metadata>" if entry else ""
        parts.append(f"<record>{_header(row, deleted=entry is None)}{body}</record>")
    return "\n".join(parts)


def _dublin_core(entry: Entry) -> str:
    document = entry.document
    elements = [
        ("title", [document["title"], document.get("title_en")]),
        ("creator", [document.get("rights_holder")]),
        ("publisher", [document["organization"]["name"]]),
        ("subject", document.get("keywords", [])),
        ("description", [document.get("description") or document.get("summary")]),
        ("date", [document.get("modified") or entry.updated_at.date().isoformat()]),
        ("type", ["Dataset"]),
        ("format", sorted({item["format"] for item in document.get("resources", []) if item.get("format")})),
        ("identifier", [entry.url, entry.identifier]),
        ("language", document.get("languages", [])),
        ("coverage", [document.get("region")]),
        ("rights", [document.get("license"), document.get("license_url")]),
    ]
    parts = "".join(f"<dc:{name}>{clean(str(value))}</dc:{name}>" for name, values in elements for value in values if value)
    return (
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd">'
        f"{parts}</oai_dc:dc>"
    )


def _dcat(entry: Entry) -> str:
    """The dataset's graph as RDF/XML, without its XML declaration."""
    from rdflib import Graph

    graph = Graph()
    for name, address in prefixes().items():
        graph.bind(name, address)
    graph.parse(data=orjson.dumps({"@context": prefixes()} | dataset_node(entry)), format="json-ld")
    written = graph.serialize(format="xml")
    return held(written.partition("?>")[2].strip())
