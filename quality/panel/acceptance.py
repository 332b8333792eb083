"""Label audit: how many items are drawn, when a batch is accepted, and the score that the exact bound gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from quality.statistics import LEVEL, lower_bound, upper_bound

# {largest share of wrong labels that is still accepted, in percent: ((wrong accepted, items drawn), …)} at 95 %, exact binomial.
PLANS = {5: ((0, 59), (1, 93), (2, 124)), 2: ((0, 149), (1, 236), (2, 313), (5, 523)), 1: ((0, 299), (1, 473), (2, 628))}
DEFAULT = (2, 313)
PER_CLASS = 30
FLOOR, SPAN = 0.80, 0.18  # accuracy that scores 0, and from there to 100
KEYS = {f"{c}-{n}": (c, n) for plans in PLANS.values() for c, n in plans}


def size(c: int, rate: float, level: float = LEVEL) -> int:
    """The smallest n where c wrong still show a rate of at most `rate`."""
    low, high = c + 1, c + 2
    while upper_bound(c, high, level) > rate:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_bound(c, middle, level) > rate else (low, middle)
    return high


@dataclass(frozen=True)
class Outcome:
    decision: str  # open, accept, reject
    n: int  # judged
    right: int
    wrong: int
    unsure: int
    accuracy: float | None  # reweighted where the draw was by class
    low: float  # one-sided exact 95 % bounds of the accuracy
    high: float
    score: float | None  # of 0304, once everything is judged


def outcome(verdicts: Sequence[tuple[str, str]], *, accept: int, drawn: int, shares: dict[str, float] | None = None) -> Outcome:
    """`verdicts` are (class, right | wrong | unsure) of what was judged; `shares` the classes' shares of the whole, where the draw was by class.

    An unsure label counts as a wrong one: who drew it could not tell, so it does not speak for the labels. A draw by class is weighted
    back; its bound is taken at the effective number of items (Kish), rounded against the labels."""
    counts = {name: sum(verdict == name for _class, verdict in verdicts) for name in ("right", "wrong", "unsure")}
    n, bad = len(verdicts), counts["wrong"] + counts["unsure"]
    decision = "reject" if bad > accept else "accept" if n >= drawn else "open"
    right, effective, accuracy = _weighted(verdicts, shares) if shares else (n - bad, n, (n - bad) / n if n else None)
    low, high = lower_bound(right, effective), upper_bound(right, effective)
    score = round(points(low), 2) if n >= drawn else None
    return Outcome(decision, n, counts["right"], counts["wrong"], counts["unsure"], accuracy, low, high, score)


def points(low: float) -> float:
    """100 · clip((lower bound − .80) / .18)."""
    return 100.0 * min(1.0, max(0.0, (low - FLOOR) / SPAN))


def _weighted(verdicts, shares: dict[str, float]) -> tuple[int, int, float | None]:
    by_class: dict[str, list[bool]] = {}
    for name, verdict in verdicts:
        by_class.setdefault(name, []).append(verdict == "right")
    known = {name: shares.get(name, 0.0) for name in by_class}
    total = sum(known.values())
    if not verdicts or total <= 0:
        return 0, 0, None
    each = {name: share / total / len(by_class[name]) for name, share in known.items()}
    accuracy = sum(each[name] * sum(answers) for name, answers in by_class.items())
    effective = int(1.0 / sum(len(answers) * each[name] ** 2 for name, answers in by_class.items()) + 1e-9)
    return int(effective * accuracy + 1e-9), effective, accuracy
