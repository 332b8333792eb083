"""Krippendorff's alpha (Hayes and Krippendorff 2007), with missing values, and what a rater's alpha is taken to mean."""

from collections.abc import Sequence

RELIABLE, TENTATIVE = 0.80, 0.667
POOL = 5  # datasets before a rater is judged: 17 items of one are too little
LEVELS = ("nominal", "ordinal", "interval")


def alpha(table: Sequence[Sequence[float | None]], level: str = "interval") -> float | None:
    """Rows are raters, columns are units, None is missing. None when fewer than two values can be paired; 1 when all paired are equal."""
    values, units = _pairable(table)
    if len(values) < 2:
        return None
    difference = _differences(values, level)
    observed = sum(difference[unit][:, unit].sum() / (len(unit) - 1) for unit in units)
    expected = difference.sum() / (len(values) - 1)
    return 1.0 if expected == 0 else float(1.0 - observed / expected)


def _pairable(table):
    """(all values of units that two or more rated, the positions in it of each such unit)."""
    import numpy as np

    kept, units = [], []
    for column in zip(*table, strict=True):
        rated = [float(value) for value in column if value is not None]
        if len(rated) >= 2:
            units.append(np.arange(len(kept), len(kept) + len(rated)))
            kept += rated
    return np.array(kept), units


def _differences(values, level: str):
    """Squared distances of every pair of values on the scale's level."""
    import numpy as np

    if level == "nominal":
        return (values[:, None] != values[None, :]).astype(float)
    if level == "interval":
        return (values[:, None] - values[None, :]) ** 2
    if level != "ordinal":
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    distinct, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2.0  # number of values below, half of the own ones counted
    ranks = middle[places]
    return (ranks[:, None] - ranks[None, :]) ** 2


def interval(table: Sequence[Sequence[float | None]], level: str = "interval", *, seed: int = 0, rounds: int = 500) -> tuple[float, float] | None:
    """95 % percentile bootstrap over units; None when alpha is."""
    import numpy as np

    columns = [column for column in zip(*table, strict=True) if sum(value is not None for value in column) >= 2]
    if not columns:
        return None
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(0, len(columns), len(columns)) for _round in range(rounds))
    found = [alpha(list(zip(*(columns[place] for place in places), strict=True)), level) for places in drawn]
    low, high = np.percentile([value for value in found if value is not None], (2.5, 97.5))
    return float(low), float(high)


def rating(value: float | None, datasets: int) -> str:
    """What an alpha pooled over that many datasets says of a rater: reliable, tentative, retrain, or unknown yet."""
    if value is None or datasets < POOL:
        return "unknown"
    if value >= RELIABLE:
        return "reliable"
    return "tentative" if value >= TENTATIVE else "retrain"
