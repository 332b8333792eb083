"""The evaluation scheme from quality/schemes/*.json into rows; idempotent. A scheme that was used is never rewritten."""

import csv
import datetime
import hashlib

import orjson
from django.db import transaction

from catalog.services.vocabularies import FOLDER
from quality.engine import SCHEMES
from quality.models import EvaluationScheme, Indicator, Profile

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
    profiles = content["profiles"]
    for profile in profiles:
        if sum(profile["weights"].values()) != 100:
            raise ValueError(f"weights of {profile['code']} sum to {sum(profile['weights'].values())}, not 100")
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    effective = datetime.date.fromisoformat(content["effective_from"])
    rules = {key: value for key, value in content.items() if key != "profiles"}
    scheme, created = EvaluationScheme.objects.get_or_create(
        version=content["version"], defaults={"title": content["title"], "effective_from": effective, "content": rules, "sha256": digest}
    )
    if not created and (scheme.sha256 == digest or scheme.evaluations.exists()):
        return
    scheme.content, scheme.sha256 = rules, digest
    scheme.save(update_fields=["content", "sha256"])
    for position, profile in enumerate(profiles):
        values = {"name": profile["name"], "weights": profile["weights"], "applies_to": profile["applies_to"], "position": position}
        Profile.objects.update_or_create(scheme=scheme, code=profile["code"], defaults=values)


def active_scheme() -> EvaluationScheme:
    scheme = EvaluationScheme.objects.filter(state="active").prefetch_related("profiles").first()
    if scheme is None:
        load_schemes()
        scheme = EvaluationScheme.objects.prefetch_related("profiles").get(state="active")
    return scheme


def profile_dicts(scheme: EvaluationScheme) -> list[dict]:
    return [{"code": row.code, "name": row.name, "weights": row.weights, "applies_to": row.applies_to} for row in scheme.profiles.all()]
