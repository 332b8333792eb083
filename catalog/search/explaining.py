"""Where the points of shown rows come from, for administrators. Only rows of a page that was answered are told of: all are public."""

import datetime
import math
from collections.abc import Collection

from catalog.models import SearchRow
from catalog.search import ranking
from catalog.search.document import title_hash
from catalog.search.expressions import Expression, marked
from catalog.search.planning import Plan
from catalog.search.text import TITLE


def conditions(plan: Plan) -> dict[str, Expression]:
    """What an engine is to say of each row: whether it holds this."""
    found = {"whole": marked(plan.strict, TITLE), "precise": plan.precise}
    for at, concept in enumerate(plan.concepts):
        found |= {f"{at}.{place}": expression for place, (expression, _points, _letters) in enumerate(ranking.said(concept))}
    return found


def explained(plan: Plan, pks: Collection[int], holds: dict[str, Collection[int]]) -> dict[int, dict]:
    """{pk: {"score", "parts": {name: points}, "words": [...]}}; `holds` has the keys of conditions()."""
    rows = SearchRow.objects.filter(dataset_id__in=pks, is_gone=False)
    names = ("title", "title_hash", "text_length", "static_score", "modified")
    return {pk: _row(plan, pk, dict(zip(names, values, strict=True)), holds) for pk, *values in rows.values_list("dataset_id", *names)}


def _row(plan: Plan, pk: int, row: dict, holds: dict[str, Collection[int]]) -> dict:
    length, words, said = max(len(row["title"]), 1), [], {"words": 0.0, "title_share": 0.0}
    for at, concept in enumerate(plan.concepts):
        parts = enumerate(ranking.said(concept))
        points, letters = next(((points, letters) for place, (_held, points, letters) in parts if pk in holds[f"{at}.{place}"]), (0.0, 0.0))
        share = ranking.SHARE * letters / max(length, letters) if letters else 0.0
        words.append({"typed": concept.typed, "weight": concept.weight, "points": round(points + share, 4), "in_title": bool(letters)})
        said["words"] += points
        said["title_share"] += share
    parts = {
        "exact_title": ranking.EXACT * (row["title_hash"] == title_hash(plan.folded)),
        "whole_query_in_title": ranking.WHOLE * (pk in holds["whole"]),
        "no_word_let_go": ranking.PRECISE * (plan.is_relaxed and pk in holds["precise"]),
        "title_as_typed": ranking.gain(row["title"], plan),
        **said,
        "worth": row["static_score"],
        "freshness": _freshness(row["modified"]),
        "brevity": ranking.BREVITY / (1 + math.log1p(row["text_length"] / 100)),
    }
    return {"score": round(sum(parts.values()), 4), "parts": {name: round(points, 4) for name, points in parts.items()}, "words": words}


def _freshness(day: int) -> float:
    age = min(max(datetime.date.today().toordinal() - day, 0), 36500)
    return 0.25 * 2.0 ** (-age / 365) if day > 0 else 0.0
