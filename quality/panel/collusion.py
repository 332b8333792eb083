"""Signs that raters did not work apart. A flag asks a person to look; it decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from statistics import mean

ALIKE = 0.7  # Jaccard of three-character shingles
SHINGLE = 3
SECONDS = 10
POOL = 20  # other pairs, before one can stand out among them
SHARED = 10  # units two raters must share
CONSTANT = 5  # indicators of one value
ONE_SIDED, DATASETS = 10, 3


@dataclass(frozen=True)
class Sheet:
    """One rater's submission of one round."""

    rater: str
    round: str
    provider: str
    scores: dict[str, float]
    reasons: Sequence[str] = ()
    at: datetime | None = None


@dataclass(frozen=True)
class Flag:
    code: str  # agreement, comments, seconds, constant, one_sided
    raters: tuple[str, ...]
    detail: dict


def flags(sheets: Iterable[Sheet]) -> list[Flag]:
    sheets = list(sheets)
    rounds: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        rounds.setdefault(sheet.round, []).append(sheet)
    found = [Flag("constant", (one.rater,), {"round": one.round, "score": next(iter(one.scores.values()))}) for one in sheets if _constant(one)]
    for name, together in rounds.items():
        for one, other in combinations(sorted(together, key=lambda sheet: sheet.rater), 2):
            found += _of_a_pair(name, one, other)
    return found + _agreeing(rounds.values()) + _one_sided(rounds.values())


def _constant(sheet: Sheet) -> bool:
    return len(sheet.scores) >= CONSTANT and len(set(sheet.scores.values())) == 1


def _of_a_pair(name: str, one: Sheet, other: Sheet):
    raters = (one.rater, other.rater)
    if one.at and other.at and abs((one.at - other.at).total_seconds()) <= SECONDS:
        yield Flag("seconds", raters, {"round": name, "seconds": round(abs((one.at - other.at).total_seconds()))})
    alike = max((similarity(a, b) for a in one.reasons for b in other.reasons), default=0.0)
    if alike >= ALIKE:
        yield Flag("comments", raters, {"round": name, "similarity": f"{alike:.2f}"})


def similarity(one: str, other: str) -> float:
    """0 for texts too short to tell anything."""
    first, second = shingles(one), shingles(other)
    return len(first & second) / len(first | second) if len(first) >= SHINGLE and len(second) >= SHINGLE else 0.0


def shingles(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[place : place + SHINGLE] for place in range(len(text) - SHINGLE + 1)}


def _agreeing(rounds) -> list[Flag]:
    """Pairs that differ less than 99 of 100 other pairs of the pool do."""
    gaps: dict[tuple[str, str], list[float]] = {}
    for together in rounds:
        for one, other in combinations(sorted(together, key=lambda sheet: sheet.rater), 2):
            both = one.scores.keys() & other.scores.keys()
            gaps.setdefault((one.rater, other.rater), []).extend(abs(one.scores[code] - other.scores[code]) for code in both)
    agreement = {pair: 100 - mean(values) for pair, values in gaps.items() if len(values) >= SHARED}
    out = []
    for pair, value in agreement.items():
        others = sorted(agreement[key] for key in agreement if key != pair)
        if len(others) >= POOL and value > percentile(others, 0.99):
            out.append(Flag("agreement", pair, {"agreement": f"{value:.1f}", "pairs": len(others)}))
    return out


def percentile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _one_sided(rounds) -> list[Flag]:
    """A rater who, over three or more datasets of one provider, always stands on one side of the others, by ten points or more."""
    gaps: dict[tuple[str, str], list[float]] = {}
    for together in rounds:
        for sheet in together:
            deviation = deviation_of(sheet, together)
            if deviation is not None:
                gaps.setdefault((sheet.rater, sheet.provider), []).append(deviation)
    return [
        Flag("one_sided", (rater,), {"provider": provider, "datasets": len(values), "deviation": f"{mean(values):+.1f}"})
        for (rater, provider), values in gaps.items()
        if len(values) >= DATASETS and abs(mean(values)) >= ONE_SIDED and (min(values) > 0 or max(values) < 0)
    ]


def deviation_of(sheet: Sheet, together: Sequence[Sheet]) -> float | None:
    """Mean difference to the mean of the other raters of the round."""
    others = [other for other in together if other.rater != sheet.rater]
    gaps = []
    for code, score in sheet.scores.items():
        rest = [other.scores[code] for other in others if code in other.scores]
        if rest:
            gaps.append(score - mean(rest))
    return mean(gaps) if gaps else None
