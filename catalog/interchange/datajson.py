"""data.json: DCAT-US 1.1 and 3, the Argentine profile and its kin, CKAN's DCAT-JSON. DCAT in RDF comes through here too."""

from typing import Any

from django.utils.translation import gettext as _

from catalog.interchange import codes, values
from catalog.interchange.draft import Draft, names_of
from catalog.interchange.parsed import Parsed, RecordError

NOT_MAPPED = {"@type", "@context"}
CATALOG_FIELDS = ("publisher", "license", "language", "contactPoint")  # a catalogue says these for records that do not


def from_datajson(payload: Any, record: int = 0, *, catalog: dict | None = None, form: str = "datajson") -> Parsed:
    """One entry of a catalogue's `dataset` list. `catalog` gives publisher and licence where the entry has none."""
    if not isinstance(payload, dict):
        raise RecordError("not_an_object", _("记录不是对象，而是 %(value)s。") % {"value": repr(payload)[:80]})
    if not payload:
        raise RecordError("empty", _("空记录，没有任何属性。"))
    payload = {name.removeprefix("dcat:").removeprefix("dct:").removeprefix("dcterms:"): value for name, value in payload.items()}
    draft = Draft({name: value for name, value in payload.items() if name not in NOT_MAPPED}, form)
    _identity(draft)
    _texts(draft)
    draft.publisher(draft.take("publisher"), email=None)
    draft.publisher(draft.take("creator"))
    draft.publisher(draft.take("source"))
    if not draft.organization and catalog and catalog.get("publisher"):
        draft.publisher(catalog["publisher"])
    _contact(draft, draft.take("contactPoint"))
    draft.license(draft.take("license"), draft.take("rights") if "license" not in payload else None)
    if catalog and catalog.get("license") and not draft.document.get("license"):
        draft.license(catalog["license"])
    for item in _distributions(draft):
        _distribution(draft, item)
    return draft.finish(record)


def _identity(draft):
    identifier = draft.take("identifier", "@id", "id")
    if isinstance(identifier, list | dict) and len(identifier) > 1:
        draft.keep("identifier", identifier)
    draft.put("source_identifier", identifier)
    draft.put("title", draft.take("title", "name"))


def _texts(draft):
    draft.put("description", draft.take("description", "notes"))
    draft.put("keywords", draft.take("keyword", "keywords", "tags"))
    draft.put("languages", draft.take("language"))
    draft.document["languages"] = [codes.code("languages", word) or word for word in draft.document.get("languages", [])]
    draft.address("landing_page", draft.take("landingPage", "homepage"))
    draft.put("issued", draft.take("issued", "created"), key="issued")
    draft.put("modified", draft.take("modified"), key="modified")
    draft.put("update_frequency", draft.take("accrualPeriodicity", "frequency"), key="accrualPeriodicity")
    draft.temporal(draft.take("temporal"))
    draft.spatial(draft.take("spatial"))
    for name in ("theme", "superTheme", "category"):
        draft.themes(draft.take(name), name)
    draft.put("standards", draft.take("conformsTo"))
    draft.put("openness", draft.take("accessLevel", "accessRights"), key="accessLevel")
    draft.put("access_note", draft.take("rights") if draft.document.get("openness") not in (None, "open") else None)
    if not draft.document["languages"]:
        del draft.document["languages"]


def _contact(draft, contact):
    if isinstance(contact, list):
        if len(contact) > 1:
            draft.keep("contactPoint", contact[1:])
        contact = contact[0] if contact else None
    if isinstance(contact, str):
        draft.put("contact_name", contact)
    elif isinstance(contact, dict):
        draft.put("contact_name", contact.get("fn") or contact.get("name"))
        draft.email(contact.get("hasEmail") or contact.get("email") or contact.get("mbox"))
        phone = values.text(contact.get("hasTelephone") or contact.get("tel") or contact.get("phone"))
        draft.put("contact_phone", phone.removeprefix("tel:"))


def _distributions(draft):
    found = draft.take("distribution", "distributions", "resources")
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) else []


def _distribution(draft, item):
    if not isinstance(item, dict):
        draft.keep("distribution", item)
        return
    part = Draft({name.removeprefix("dcat:").removeprefix("dct:").removeprefix("dcterms:"): value for name, value in item.items()}, "")
    checksum = part.take("checksum", "spdx:checksum")
    digest = checksum.get("checksumValue") if isinstance(checksum, dict) else None
    part.take("@type")
    draft.resource(
        name=part.take("title", "name"),
        description=part.take("description"),
        access_url=part.take("accessURL", "accessUrl"),
        download_url=part.take("downloadURL", "downloadUrl", "url"),
        media_type=part.take("mediaType"),
        format=part.take("format"),
        byte_size=part.take("byteSize"),
        sha256=digest,
        columns=part.take("field"),
        kind="service" if values.text(item.get("type")).lower() == "api" or item.get("accessService") else "",
        unmapped=part.left | ({"checksum": checksum} if checksum and len(values.text(digest)) != 64 else {}),
    )
    if license := item.get("license"):
        if not draft.document.get("license"):
            draft.license(license)


def entries(payload: dict) -> list:
    """The records of a catalogue; Unreadable-free: a wrong type is one wrong record."""
    found = payload.get("dataset", payload.get("dcat:dataset"))
    if isinstance(found, list):
        return found
    if isinstance(found, dict) and values.text(found.get("title")):
        return [found]
    raise RecordError(
        "not_a_list",
        _("dataset 应是数据集的列表；见到的属性：%(names)s。") % {"names": names_of(found if isinstance(found, dict) else payload)},
        "/dataset",
    )
