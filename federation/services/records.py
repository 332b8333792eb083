"""Is the document of a received event one this portal can keep? Text received is data: typed, bounded, without control characters."""

import re
import uuid

import orjson
from django.db import models

from catalog.listing import RESOURCE_FIELDS, SAMPLE_FIELDS
from catalog.models import Organization, Resource, Sample
from catalog.services import checks
from federation.protocol import Event, digest

SCORE = re.compile(r"(100\.00|[0-9]{1,2}\.[0-9]{2})")
ORGANIZATION = {"name": 200, "kind": 24, "region": 6, "short_name": 40, "credit_code": 18}
ITEMS = 1000  # resources or samples of one listing
ADMISSIONS = ("admitted", "pending", "returned", "taken_down", "")


class Unfit(Exception):
    """One record that must be parked. `code` is the type of the error."""

    def __init__(self, code: str, reason: str):
        self.code = code
        super().__init__(reason)


def document_of(event: Event, schema: str) -> dict:
    """The event's document once its hash, schema and critical names hold."""
    if event.fault:
        raise Unfit("json", event.fault)
    if event.crit:
        raise Unfit("crit", f"names that must be understood and are not: {', '.join(event.crit)[:200]}")
    if not event.schema.startswith(f"{schema}/1"):
        raise Unfit("schema", f"schema {event.schema} is not known here")
    if digest(event.doc) != event.hash:
        raise Unfit("hash", "the document is not what its hash names")
    if event.doc is not None and b"\\u0000" in event.doc:
        raise Unfit("control_character", "a NUL character")
    return orjson.loads(event.doc) if event.doc is not None else {}  # canonical bytes of what decode_event read strictly


def check_put(document: dict, codes: dict[str, set[str]]) -> None:
    listing, quality = document.get("listing"), document.get("quality", {})
    if not isinstance(listing, dict) or not isinstance(quality, dict) or document.get("status") != "listed":
        raise Unfit("shape", "listing, quality and status do not have their form")
    level = listing.get("security_level", "general")
    if level != "general":
        raise Unfit("level", f"/listing/security_level: {str(level)[:20]} is not federated without a permit")
    if errors := checks.shape_errors(listing, codes=codes):
        raise Unfit("invalid", "; ".join(f"{error['pointer']}: {error['message']}" for error in errors[:5]))
    _organization(listing.get("organization"))
    _items("resources", listing.get("resources", []), Resource, RESOURCE_FIELDS)
    _items("samples", listing.get("samples", []), Sample, SAMPLE_FIELDS)
    check_grade(quality)


def _organization(value) -> None:
    if not isinstance(value, dict) or not value.get("name"):
        raise Unfit("invalid", "/organization: a name is required")
    _uid("/organization/uid", value.get("uid"))
    for name, limit in ORGANIZATION.items():
        check_text(f"/organization/{name}", value.get(name, ""), limit)
    if value.get("kind") and value["kind"] not in Organization.Kind.values:
        raise Unfit("invalid", f"/organization/kind: {value['kind']} is not known here")


def _items(name: str, items, model, fields) -> None:
    if not isinstance(items, list) or len(items) > ITEMS or not all(isinstance(item, dict) for item in items):
        raise Unfit("invalid", f"/{name}: a list of at most {ITEMS} objects")
    for position, item in enumerate(items):
        pointer = f"/{name}/{position}"
        _uid(f"{pointer}/uid", item.get("uid"))
        if not item.get("name"):
            raise Unfit("invalid", f"{pointer}/name: required")
        for key in fields:
            if item.get(key) is not None:
                _value(f"{pointer}/{key}", item[key], model._meta.get_field(key))


def _value(pointer, value, field) -> None:
    if isinstance(field, models.JSONField):
        right = isinstance(value, (dict, list))
    elif isinstance(field, models.BooleanField):
        right = isinstance(value, bool)
    elif isinstance(field, models.IntegerField):
        right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    else:
        return check_text(pointer, value, field.max_length or 100_000)
    if not right:
        raise Unfit("invalid", f"{pointer}: wrong type")


def check_text(pointer: str, value, limit: int) -> None:
    if not isinstance(value, str) or len(value) > limit or checks.CONTROL.search(value):
        raise Unfit("invalid", f"{pointer}: text of at most {limit} characters without control characters")


def _uid(pointer, value) -> None:
    try:
        uuid.UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise Unfit("invalid", f"{pointer}: a UUID is required") from None


def check_grade(value: dict) -> None:
    """A quality block: grade, score as text with two decimals, assurance, documentation score."""
    if value.get("grade", "") not in ("", "A", "B", "C", "D"):
        raise Unfit("invalid", "/quality/grade: A, B, C or D")
    if value.get("score") and not (isinstance(value["score"], str) and SCORE.fullmatch(value["score"])):
        raise Unfit("invalid", "/quality/score: text from 0.00 to 100.00")
    check_text("/quality/assurance", value.get("assurance", ""), 2)
    number = value.get("documentation_score", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 100:
        raise Unfit("invalid", "/quality/documentation_score: 0 to 100")


def check_decision(document: dict) -> None:
    target = document.get("target", {})
    if document.get("admission") not in ADMISSIONS or not isinstance(target, dict):
        raise Unfit("shape", "admission or target do not have their form")
    if document.get("decision") not in ("admit", "return", "takedown", "restore", "grade", "lapse"):
        raise Unfit("shape", "decision is not known here")
    check_text("/reason", document.get("reason", ""), 2000)
    check_text("/target/hash", target.get("hash", ""), 64)
    if isinstance(target.get("rev", 0), bool) or not isinstance(target.get("rev", 0), int):
        raise Unfit("shape", "/target/rev: a whole number")
    if document.get("grade") is not None:
        if not isinstance(document["grade"], dict):
            raise Unfit("shape", "/grade: an object")
        check_grade(document["grade"])
