"""What the register shows of each rater: agreement pooled over the last datasets, leniency, checks with known defects, flags."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from quality.models import Expert, ExpertAssignment, ExpertRound
from quality.panel import aggregation, agreement, collusion
from quality.panel.collusion import Sheet

POOLED = 10  # the last rounds that are looked at, five at least
ROUNDS = 200  # for flags
GOLD_SHARE = 0.1


@dataclass
class Standing:
    """One rater's record. `alpha` compares the rater with the median of the others, unit by unit."""

    expert: Expert
    rounds: int = 0
    alpha: float | None = None
    interval: tuple[float, float] | None = None
    rating: str = "unknown"
    leniency: float = 0.0
    gold_rounds: int = 0
    gold_hits: int = 0
    gold_items: int = 0
    is_gold_due: bool = False
    flags: list = field(default_factory=list)

    @property
    def flag_counts(self) -> list[tuple[str, int]]:
        return sorted(Counter(flag.code for flag in self.flags).items())


def sheets(rounds) -> list[Sheet]:
    """Submitted sheets of rounds where nobody is waited for any more."""
    rows = ExpertAssignment.objects.filter(round__in=rounds, state=ExpertAssignment.State.SUBMITTED).select_related("expert", "round__dataset")
    out = []
    for row in rows.prefetch_related("scores"):
        scores = list(row.scores.all())
        out.append(Sheet(str(row.expert.uid), row.round.number, str(row.round.dataset.organization_id),
                         {score.indicator: float(score.score) for score in scores}, [score.reason for score in scores if score.reason],
                         row.submitted_at))  # fmt: skip
    return out


def standings() -> list[Standing]:
    """All experts of the register, with a fixed number of queries."""
    ended = list(ExpertRound.objects.filter(state=ExpertRound.State.CLOSED).order_by("-id")[:ROUNDS])
    found = sheets(ended)
    by_round: dict[str, list[Sheet]] = {}
    for sheet in found:
        by_round.setdefault(sheet.round, []).append(sheet)
    flagged = collusion.flags(found)
    gold = {row.number: row.gold for row in ended if row.goal == ExpertRound.Goal.GOLD}
    order = [row.number for row in ended]
    experts = Expert.objects.select_related("user", "organization", "body__organization")
    return [_standing(expert, by_round, order, gold, flagged) for expert in experts]


def _standing(expert: Expert, by_round, order, gold, flagged) -> Standing:
    key = str(expert.uid)
    mine = {name: sheet for name in order for sheet in by_round.get(name, []) if sheet.rater == key}
    one = Standing(expert, rounds=len(mine), flags=[flag for flag in flagged if key in flag.raters])
    rated = [name for name in mine if name not in gold][:POOLED]
    pairs = [pair for name in rated for pair in _pairs(mine[name], by_round[name])]
    table = list(zip(*pairs, strict=True)) if pairs else []
    if table:
        one.alpha, one.interval = agreement.alpha(table), agreement.interval(table)
    one.rating = agreement.rating(one.alpha, len(rated))
    deviations = [collusion.deviation_of(mine[name], by_round[name]) for name in rated]
    one.leniency = aggregation.leniency([value for value in deviations if value is not None])
    for name in mine.keys() & gold.keys():
        one.gold_rounds += 1
        for code, (low, high) in gold[name].items():
            if code in mine[name].scores:
                one.gold_items += 1
                one.gold_hits += low <= mine[name].scores[code] <= high
    one.is_gold_due = len(mine) >= 10 and one.gold_rounds < GOLD_SHARE * len(mine)
    return one


def _pairs(sheet: Sheet, together) -> list[tuple[float, float]]:
    """(own score, median of the others) of each indicator that others scored too."""
    others = [other for other in together if other.rater != sheet.rater]
    out = []
    for code, score in sheet.scores.items():
        rest = [other.scores[code] for other in others if code in other.scores]
        if rest:
            out.append((score, median(rest)))
    return out


def round_alpha(round_: ExpertRound) -> float | None:
    """Of all raters of one round; one dataset is too little to judge a rater by, so it is shown as a hint only."""
    found = sheets([round_])
    return agreement.alpha([[sheet.scores.get(code) for code in round_.indicators] for sheet in found]) if len(found) > 1 else None
