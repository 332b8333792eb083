"""From several raters' scores of one indicator to one, and when they must talk first."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

WIDE = 20  # a larger range on one indicator is discussed or a fourth rater is added
REASONED = (60, 90)  # a score below or above needs its reason in writing
ADJUDICATED = 20  # |automatic − expert| beyond this goes to adjudication
PSEUDO_DATASETS = 5


@dataclass(frozen=True)
class Aggregate:
    value: float
    method: str  # median, trimmed_mean
    n: int
    low: float
    high: float

    @property
    def is_wide(self) -> bool:
        return self.high - self.low > WIDE


def aggregate(scores: Sequence[float]) -> Aggregate:
    """The median below five raters; from five on the mean without the lowest and the highest fifth (at least one each)."""
    ordered = sorted(scores)
    if len(ordered) < 5:
        return Aggregate(round(median(ordered), 2), "median", len(ordered), ordered[0], ordered[-1])
    cut = max(1, len(ordered) // 5)
    return Aggregate(round(mean(ordered[cut:-cut]), 2), "trimmed_mean", len(ordered), ordered[0], ordered[-1])


def leniency(deviations: Sequence[float]) -> float:
    """A rater's mean deviation from the others, one value a dataset, shrunk towards 0 as if five more datasets showed none.

    It is shown beside the scores; nothing subtracts it unseen."""
    return round(sum(deviations) / (len(deviations) + PSEUDO_DATASETS), 2)


def needs_reason(score: float) -> bool:
    return score < REASONED[0] or score > REASONED[1]


def needs_adjudication(automatic: float | None, expert: float) -> bool:
    return automatic is not None and abs(automatic - expert) > ADJUDICATED
