"""How a dataset stands among those of its sector: medians of indicators and dimensions, its place by total score."""

from bisect import bisect_left
from statistics import median

from django.core.cache import cache
from django.db.models import Max

from catalog.models import Dataset
from quality.models import Evaluation, IndicatorScore

KEEP = 900  # seconds
AT_MOST = 400  # runs that medians are taken of, the latest
FEWEST = 5  # fewer say nothing of a sector


def sector_figures(sector: str) -> dict:
    """{"n", "totals": sorted scores, "indicators": {code: median}, "compared": runs}; kept for some minutes."""
    return cache.get_or_set(f"quality.sector/1:{sector}", lambda: _figures(sector), KEEP)


def _figures(sector: str) -> dict:
    graded = Dataset.objects.published().filter(score__isnull=False).values_list("pk", "score", "sectors")
    mine = [(pk, float(score)) for pk, score, sectors in graded.iterator(chunk_size=2000) if sector in (sectors or [])]
    chosen = [pk for pk, _score in sorted(mine, reverse=True)[:AT_MOST]]
    runs = Evaluation.objects.filter(dataset__in=chosen, state=Evaluation.State.DONE).order_by().values("dataset").annotate(last=Max("pk"))
    latest = [row["last"] for row in runs]
    by_code: dict[str, list[float]] = {}
    scores = IndicatorScore.objects.filter(evaluation__in=latest, status="measured", score__isnull=False)
    for code, score in scores.order_by().values_list("indicator__code", "score"):
        by_code.setdefault(code, []).append(float(score))
    medians = {code: f"{median(values):.2f}" for code, values in by_code.items() if len(values) >= FEWEST}
    return {"n": len(mine), "totals": sorted(score for _pk, score in mine), "indicators": medians, "compared": len(latest)}


def place(totals: list[float], score: float) -> int | None:
    """Percent of the others that score less; None among too few."""
    return round(100 * bisect_left(totals, score) / (len(totals) - 1)) if len(totals) >= FEWEST else None


def dimension_median(medians: dict, weights: dict[str, int], prefix: str) -> str | None:
    """The weighted mean of the medians of a dimension's indicators, for the radar's twin."""
    rows = [(float(value), weights.get(code, 0)) for code, value in medians.items() if code.startswith(prefix) and weights.get(code)]
    total = sum(weight for _value, weight in rows)
    return f"{sum(value * weight for value, weight in rows) / total:.2f}" if total else None
