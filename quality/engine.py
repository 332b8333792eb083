"""One evaluation as a pure function: snapshot, scheme and profile in, canonical bytes out. And the live score of a draft."""

import hashlib
import platform
from functools import lru_cache
from pathlib import Path

import orjson

from quality.advising import advice, gain, levels_of, plan
from quality.drift import distributions
from quality.grading import Grading, grade
from quality.indicators.declared import DECLARED
from quality.indicators.documentation import ITEMS
from quality.indicators.registry import CODES, Measure, Snapshot, measure_all

RULESET = "2.0"
SCHEMES = Path(__file__).resolve().parent / "schemes"


@lru_cache(maxsize=1)
def default_scheme() -> dict:
    """The newest scheme shipped with the project; the database's active row is a copy of it unless an operator changed it."""
    return orjson.loads(max(SCHEMES.glob("*.json")).read_bytes())


def snapshot_of(document: dict, profiles=None, *, versions: int = 0, scheme: dict | None = None) -> Snapshot:
    """`profiles` None takes those of the samples in the document."""
    if profiles is None:
        samples = document.get("samples")
        profiles = [row.get("profile") for row in samples if isinstance(row, dict)] if isinstance(samples, list) else []
    usable = tuple(profile for profile in profiles if is_profile(profile))
    return Snapshot(document, usable, versions, (scheme or default_scheme())["limits"])


COUNTS = ("rows", "ragged_rows", "blank_rows", "duplicate_rows", "swallowed_lines", "bad_bytes", "cells")
COLUMN_COUNTS = ("filled", "missing", "misfits", "dirty")


def is_profile(value) -> bool:
    """A sample's profile that the measures can read; a document from elsewhere may hold anything."""
    if not isinstance(value, dict) or not isinstance(value.get("readable"), bool):
        return False
    columns, findings, personal = (value.get(name, []) for name in ("columns", "findings", "personal_information"))
    if not all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in (columns, findings, personal)):
        return False
    if "columns" not in value or not all({"filled", "missing"} <= column.keys() for column in columns):
        return False
    counts = [value.get(name, 0) for name in COUNTS if value.get(name) is not None]
    counts += [column.get(name, 0) for column in columns for name in COLUMN_COUNTS]
    texts = [item.get(name) for item in findings for name in ("indicator", "code", "severity", "place", "message")]
    texts += [item.get("column") for item in personal]
    if not all(isinstance(item.get("examples") or [], list) for item in findings):
        return False
    examples = [row for item in findings for row in item.get("examples") or []]
    shown = all(isinstance(row, dict) and {"place", "text"} <= row.keys() for row in examples)
    return shown and all(isinstance(count, int) and count >= 0 for count in counts) and all(isinstance(text, str) for text in texts)


def choose_profile(document: dict, profiles: list[dict]) -> dict:
    """The first profile whose sectors or model stages meet the document's; 通用 otherwise."""
    for profile in profiles:
        for name, wanted in profile["applies_to"].items():
            have = document.get(name)
            if (
                isinstance(have, list)
                and set(wanted) & {value for value in have if isinstance(value, str)}
                and (name != "model_stages" or len(have) == 1)
            ):
                return profile
    return profiles[0]


def evaluate(snapshot: Snapshot, scheme: dict, profile: dict, *, seed: int = 0) -> tuple[dict[str, Measure], Grading]:
    measured = measure_all(snapshot)
    for code in CODES:
        if not profile["weights"].get(code, 0):
            measured[code] = Measure("not_applicable")
    return measured, grade(measured, profile["weights"], scheme, snapshot, seed=seed)


def result_bytes(snapshot: Snapshot, scheme: dict, profile: dict, measured: dict[str, Measure], grading: Grading, seed: int) -> bytes:
    """Canonical JSON of a run: no time, no identity, so that equal inputs give equal bytes."""
    rows = advice(snapshot, grading, scheme)
    body = {
        "schema": "evaluation/2",
        "scheme": scheme["version"],
        "profile": profile["code"],
        "ruleset": RULESET,
        "seed": seed,
        "inputs": input_hashes(snapshot),
        "libraries": libraries(),
        "raw_score": fixed(grading.raw_score),
        "half_width": fixed(grading.half_width),
        "raw_grade": grading.raw_grade,
        "final_grade": grading.final_grade,
        "caps": list(grading.caps),
        "assurance": grading.assurance,
        "confidence": f"{grading.confidence:.3f}",
        "measured_weight": grading.measured_weight,
        "dimensions": {name: fixed(score) for name, score in grading.dimensions.items()},
        "indicators": [_indicator(code, measured[code], profile, grading) for code in CODES],
        "advice": rows,
        "plan": plan(rows, snapshot, measured, profile["weights"], scheme, grading),
        "sample": {"count": len(snapshot.profiles), "drawn": snapshot.inputs.is_sample_drawn},
        "distributions": distributions(snapshot.profiles),
        "opinions": [_opinion(row) for row in snapshot.inputs.opinions],
        "rulings": [{"rule": row.rule, "state": row.state, "message": row.message} for row in snapshot.inputs.rulings],
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _indicator(code: str, measure: Measure, profile: dict, grading: Grading) -> dict:
    combined = grading.combined[code]
    return {
        "code": code,
        "status": combined.status,
        "score": fixed(combined.score),
        "low": fixed(combined.low),
        "high": fixed(combined.high),
        "weight": profile["weights"].get(code, 0),
        "share": fixed(grading.weights.get(code)),
        "contribution": fixed(grading.weights[code] * combined.score / 100) if code in grading.weights else None,
        "value": measure.value,
        "n": measure.n,
        "source": combined.sources[0]["source"] if combined.sources else "",
        "sources": list(combined.sources),
        "disputed": combined.is_disputed,
        "rule": measure.rule,
        "evidence": list(measure.evidence),
    }


def _opinion(row) -> dict:
    interval = [fixed(bound) for bound in row.interval] if row.interval else None
    return {
        "source": row.source,
        "indicator": row.indicator,
        "value": fixed(float(row.value)),
        "n": row.n,
        "interval": interval,
        "detail": row.detail,
    }


def fixed(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def input_hashes(snapshot: Snapshot) -> dict:
    return {
        "document": sha256(snapshot.document),
        "profiles": [sha256(profile) for profile in snapshot.profiles],
        "versions": snapshot.versions,
        "people": sha256(
            [
                [_opinion(row) for row in snapshot.inputs.opinions],
                [[row.rule, row.state, row.message] for row in snapshot.inputs.rulings],
                snapshot.inputs.is_sample_drawn,
            ]
        ),
    }


def sha256(value) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


# What measures a sample: another version may measure otherwise.
LIBRARIES = ("polars", "faust-cchardet", "clevercsv", "fastexcel", "rensa", "pillow", "soundfile", "scikit-learn")


@lru_cache(maxsize=1)
def libraries() -> dict:
    from importlib.metadata import version

    return {"python": platform.python_version(), "ruleset": RULESET} | {name: version(name) for name in LIBRARIES}


def live_score(document: dict, profiles=None, *, versions: int = 0, scheme: dict | None = None) -> dict:
    """The score of a document as it is being written: no database, some milliseconds.

    {"documentation": 0–100, "total": "71.20", "grade", "assurance", "items": [{"item", "label", "indicator", "state",
    "points"}], "advice": […]}; state is absent, present or valid, points the total's points the item still could add.
    """
    scheme = scheme or default_scheme()
    snapshot = snapshot_of(document, profiles or None, versions=versions, scheme=scheme)
    measured, grading = evaluate(snapshot, scheme, choose_profile(document, scheme["profiles"]))
    levels = levels_of(snapshot)
    items = [
        {
            "item": item.name,
            "label": item.label,
            "indicator": item.indicator,
            "pointer": item.pointer,
            "state": ("absent", "present", "valid")[levels[item.name]],
            "points": fixed(gain(item, levels[item.name], grading)),
        }
        for item in (*ITEMS, *DECLARED)
    ]
    return {
        "documentation": documentation_score(measured),
        "total": fixed(grading.raw_score),
        "grade": grading.final_grade,
        "raw_grade": grading.raw_grade,
        "assurance": grading.assurance,
        "caps": list(grading.caps),
        "items": items,
        "advice": advice(snapshot, grading, scheme, levels),
    }


def documentation_score(measured: dict[str, Measure]) -> int:
    """0–100: the mean of 0101–0104, unweighted, so that it compares across profiles."""
    return int(sum(measured[code].score for code in CODES[:4]) / 4 + 0.5)
