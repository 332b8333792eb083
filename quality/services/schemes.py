"""The evaluation scheme from quality/schemes/*.json into rows; idempotent. A scheme that was used is never rewritten."""

import csv
import datetime
import hashlib

import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from catalog.exceptions import Conflict
from catalog.services.vocabularies import FOLDER
from quality.engine import SCHEMES
from quality.models import EvaluationScheme, Indicator, Profile
from quality.schemes import KEYS, require_valid

DIMENSIONS = [
    ("documentation", "说明文档", "Documentation"),
    ("data_quality", "数据质量", "Data quality"),
    ("model_application", "模型应用", "Model application"),
]


@transaction.atomic
def load_schemes() -> dict[str, int]:
    """{"indicators", "schemes"} after loading. The newest shipped scheme is active unless an operator activated another."""
    _indicators()
    for path in sorted(SCHEMES.glob("*.json")):
        _store(orjson.loads(path.read_bytes()))
    if not EvaluationScheme.objects.filter(state="active").exists():
        EvaluationScheme.objects.filter(pk=EvaluationScheme.objects.latest("effective_from", "id").pk).update(state="active")
    return {"indicators": Indicator.objects.filter(parent__isnull=False).count(), "schemes": EvaluationScheme.objects.count()}


def _indicators() -> None:
    parents = {}
    for position, (code, name, english) in enumerate(DIMENSIONS):
        values = {"name": name, "name_en": english, "position": position * 100}
        parents[code], _created = Indicator.objects.update_or_create(code=code, defaults=values)
    with open(FOLDER / "quality_indicators.csv", encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 1):
            parent = parents[row["dimension"]]
            values = {"name": row["name"], "name_en": row["english"], "definition": row["definition"], "check_kind": row["check"]}
            Indicator.objects.update_or_create(code=row["code"], defaults=values | {"parent": parent, "position": parent.position + number})


def _store(content: dict) -> None:
    require_valid(content)
    scheme = EvaluationScheme.objects.filter(version=content["version"]).first()
    if scheme is None:
        _create(content)
    elif scheme.sha256 != fingerprint(content) and not is_used(scheme):
        rewrite(scheme, content)


def is_used(scheme: EvaluationScheme) -> bool:
    return scheme.evaluations.exists()


def fingerprint(document: dict) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _create(document: dict, **more) -> EvaluationScheme:
    scheme = EvaluationScheme(version=document["version"], **more)
    return rewrite(scheme, document)


def rewrite(scheme: EvaluationScheme, document: dict) -> EvaluationScheme:
    """Let an unused row say what the document says; the caller has checked both."""
    scheme.title, scheme.effective_from = document["title"], datetime.date.fromisoformat(document["effective_from"])
    scheme.content = {key: value for key, value in document.items() if key not in ("profiles", "version", "title", "effective_from")}
    scheme.content |= {"version": document["version"], "title": document["title"], "effective_from": document["effective_from"]}
    scheme.sha256 = fingerprint(document)
    scheme.save()
    codes = [profile["code"] for profile in document["profiles"]]
    scheme.profiles.exclude(code__in=codes).delete()
    for position, profile in enumerate(document["profiles"]):
        values = {"name": profile["name"], "weights": profile["weights"], "applies_to": profile["applies_to"], "position": position}
        Profile.objects.update_or_create(scheme=scheme, code=profile["code"], defaults=values)
    return scheme


def to_document(scheme: EvaluationScheme) -> dict:
    """The whole scheme as one plain JSON value, the same as a file of quality/schemes; federation sends it down as a vocabulary."""
    return scheme.content | {"profiles": profile_dicts(scheme)}


@transaction.atomic
def from_document(document: dict) -> EvaluationScheme:
    """The row of a scheme that came from elsewhere, as a draft; the same document again changes nothing.

    ListingInvalid names what is wrong with it; Conflict where another scheme bears its version.
    """
    require_valid(document)
    document = {key: document[key] for key in document if key in KEYS}
    scheme = EvaluationScheme.objects.select_for_update().filter(version=document["version"]).first()
    if scheme is None:
        return _create(document)
    if fingerprint(to_document(scheme)) == fingerprint(document):
        return scheme
    if scheme.state != EvaluationScheme.State.DRAFT or is_used(scheme):
        raise Conflict(_("方案 %(version)s 已经启用过，内容不同的同号方案不能覆盖它。") % {"version": scheme.version})
    return rewrite(scheme, document)


def active_scheme() -> EvaluationScheme:
    scheme = EvaluationScheme.objects.filter(state="active").prefetch_related("profiles").first()
    if scheme is None:
        load_schemes()
        scheme = EvaluationScheme.objects.prefetch_related("profiles").get(state="active")
    return scheme


def profile_dicts(scheme: EvaluationScheme) -> list[dict]:
    return [{"code": row.code, "name": row.name, "weights": row.weights, "applies_to": row.applies_to} for row in scheme.profiles.all()]
