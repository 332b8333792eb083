"""One indicator's score from its sources: what the listing declares, what a sample showed, what experts, users and papers say.

Sources keep the scheme's shares (automatic, expert, user), renormalised over those that are present. A declaration alone
stands for the `declared` percent of its indicator: its weight in the total is that much smaller, never filled up silently.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from quality.indicators.registry import CODES, Measure
from quality.opinions import Opinion

Z = NormalDist().inv_cdf(0.975)
DRAWS = 200
USERS = 10  # fewer ratings say nothing
DISPUTE = 20.0  # points between programs and experts from which the two are shown apart


@dataclass(frozen=True)
class Combined:
    """`known` is the part of the indicator's weight that its sources speak for, `worth` how far they can be trusted (0–1).

    `declared_part` and `automatic_part` say how much of the score one point of the declaration, or of the measure, moves.
    """

    status: str  # measured, declared, not_measured, not_applicable
    score: float | None = None
    low: float | None = None
    high: float | None = None
    known: float = 0.0
    worth: float = 0.0
    sources: tuple = ()  # ({"source", "score", "share", "n"}), most weight first
    is_disputed: bool = False
    declared_part: float = 0.0
    automatic_part: float = 0.0


def combine_all(
    measured: dict[str, Measure], declared: dict[str, float], opinions: Iterable[Opinion], scheme: dict, drawn: bool
) -> dict[str, Combined]:
    said: dict[str, list[Opinion]] = {}
    for opinion in opinions:
        said.setdefault(opinion.indicator, []).append(opinion)
    return {code: _combine(code, measured[code], declared.get(code), said.get(code, []), scheme, drawn) for code in CODES}


def _combine(code: str, measure: Measure, declared: float | None, opinions: list[Opinion], scheme: dict, drawn: bool) -> Combined:
    if measure.status == "not_applicable":
        return Combined("not_applicable")
    automatic, expert, user = scheme["shares"][code]
    fraction = scheme.get("declared", {}).get(code, 0) / 100.0 if declared is not None else 0.0
    parts = []  # (source, score, low, high, weight, worth, n)
    if measure.status == "measured":
        own = automatic * (1.0 - fraction)
        low, high = interval(measure)
        parts.append((measure.source or "sample", measure.score, low, high, own, _worth(measure.source, scheme, drawn), measure.n))
    if fraction:
        parts.append(("metadata", declared, declared, declared, automatic * fraction, scheme["confidence"]["declared"], None))
    parts += _people([row for row in opinions if row.source != "user"], expert, scheme)
    parts += _people([row for row in opinions if row.source == "user" and row.n >= scheme.get("users", USERS)], user, scheme)
    parts = [part for part in parts if part[4] > 0]
    if not parts:
        return Combined("not_measured")
    total = sum(part[4] for part in parts)
    score, low, high = (_mean(parts, place, total) for place in (1, 2, 3))
    missing = automatic * (1.0 - fraction) if measure.status != "measured" and fraction else 0.0
    known = total / (total + missing)
    return Combined(
        status="measured" if measure.status == "measured" or any(part[0] not in ("metadata",) for part in parts) else "declared",
        score=round(score, 2), low=round(max(0.0, low), 2), high=round(min(100.0, high), 2), known=known,
        worth=sum(part[4] * part[5] for part in parts) / (total + missing) / 100.0,
        sources=tuple({"source": part[0], "score": f"{part[1]:.2f}", "share": f"{100 * part[4] / total:.0f}", "n": part[6]}
                      for part in sorted(parts, key=lambda part: (-part[4], part[0]))),
        is_disputed=_is_disputed(measure, opinions),
        declared_part=sum(part[4] for part in parts if part[0] == "metadata") / total,
        automatic_part=sum(part[4] for part in parts if part[0] == "sample") / total,
    )  # fmt: skip


def _mean(parts, place: int, total: float) -> float:
    return sum(part[place] * part[4] for part in parts) / total


def _people(opinions: list[Opinion], share: float, scheme: dict) -> list[tuple]:
    """Experts and evidence share one place; where both speak, each has half of it."""
    out = []
    for row in opinions:
        score = min(100.0, max(0.0, float(row.value)))
        low, high = row.interval or (score, score)
        worth = scheme["confidence"]["full" if row.detail.get("full") else row.source if row.source in ("expert", "evidence") else "declared"]
        out.append((row.source, score, float(low), float(high), share / len(opinions), worth, row.n))
    return out


def _worth(source: str, scheme: dict, drawn: bool) -> int:
    values = scheme["confidence"]
    if source == "sample":
        return values["sample"] if drawn else values["self_chosen_sample"]
    return values["evidence" if source == "evidence" else "declared"]


def _is_disputed(measure: Measure, opinions: list[Opinion]) -> bool:
    experts = [float(row.value) for row in opinions if row.source == "expert"]
    return bool(experts) and measure.status == "measured" and abs(measure.score - sum(experts) / len(experts)) > DISPUTE


def interval(measure: Measure) -> tuple[float, float]:
    """95 % of the measure: its own bounds; Wilson's, with the score taken for a share of n, where it gives none; exact without n."""
    if measure.low is not None and measure.high is not None:
        return float(measure.low), float(measure.high)
    if measure.source != "sample" or not measure.n:
        return measure.score, measure.score
    n, p = float(measure.n), measure.score / 100.0
    centre, spread = (p + Z * Z / (2 * n)) / (1 + Z * Z / n), Z * (p * (1 - p) / n + Z * Z / (4 * n * n)) ** 0.5 / (1 + Z * Z / n)
    return min(measure.score, 100 * (centre - spread)), max(measure.score, 100 * (centre + spread))


def half_width(combined: dict[str, Combined], weights: dict[str, float], seed: int) -> float:
    """Half of the 95 % span of the total when every indicator is drawn anew within its interval; seeded, so that it repeats."""
    uncertain = [(row.score, max(row.high - row.score, row.score - row.low) / Z, weights[code]) for code, row in sorted(combined.items())
                 if code in weights and row.score is not None and row.high > row.low]  # fmt: skip
    if not uncertain:
        return 0.0
    source, normal = random.Random(seed), NormalDist()
    totals = []
    for _draw in range(DRAWS):
        shift = 0.0
        for score, deviation, weight in uncertain:
            value = score + deviation * normal.inv_cdf(min(0.999999, max(0.000001, source.random())))
            shift += (min(100.0, max(0.0, value)) - score) * weight / 100.0
        totals.append(shift)
    totals.sort()
    return round((totals[int(DRAWS * 0.975) - 1] - totals[int(DRAWS * 0.025)]) / 2.0, 2)
