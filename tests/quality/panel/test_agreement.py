"""Alpha against published values, and against its definition written out once more."""

import random

import pytest

from quality.panel.agreement import alpha, interval, rating

N = None
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]
# The three coders and fifteen units of the encyclopaedia article on the coefficient.
THREE_CODERS = [
    [N, N, N, N, N, 3, 4, 1, 2, 1, 1, 3, 3, N, 3],
    [1, N, 2, 1, 3, 3, 4, 3, N, N, N, N, N, N, N],
    [N, N, 2, 1, 3, 4, 4, N, 2, 1, 1, 3, 3, N, 4],
]
# The same article of 2011, section A: two observers, ten units, two values.
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("table", "level", "published"),
    [
        (KRIPPENDORFF, "nominal", 0.743),
        (KRIPPENDORFF, "ordinal", 0.815),
        (KRIPPENDORFF, "interval", 0.849),
        (THREE_CODERS, "nominal", 0.691),
        (THREE_CODERS, "interval", 0.811),
        (BINARY, "nominal", 0.095),
    ],
)
def test_alpha_equals_the_published_value(table, level, published):
    assert alpha(table, level) == pytest.approx(published, abs=0.0006)


def by_definition(table, level):
    """1 − D_o / D_e, pair by pair, without numpy."""
    units = [[value for value in column if value is not None] for column in zip(*table, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]

    def distance(a, b):
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = sum(low <= value <= high for value in values)
        return (between - (values.count(a) + values.count(b)) / 2) ** 2 if a != b else 0.0

    observed = sum(distance(a, b) / (len(unit) - 1) for unit in units for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j)
    expected = sum(distance(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (len(values) - 1)
    return 1.0 if expected == 0 else 1 - observed / expected


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_equals_its_definition_on_random_tables_with_gaps(level):
    draw = random.Random(7)
    for _round in range(60):
        raters, units = draw.randint(2, 6), draw.randint(2, 12)
        table = [[draw.choice([N, 1, 2, 3, 4, 5.5]) for _unit in range(units)] for _rater in range(raters)]
        if alpha(table, level) is not None:
            assert alpha(table, level) == pytest.approx(by_definition(table, level), abs=1e-12)


def test_nothing_to_pair_is_no_alpha_and_full_agreement_is_one():
    assert alpha([[1, N], [N, 2]]) is None
    assert alpha([[4, 4], [4, 4]]) == 1.0
    assert interval([[1, N], [N, 2]]) is None


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="ratio"):
        alpha(KRIPPENDORFF, "ratio")


def test_the_bootstrap_interval_holds_alpha_and_repeats_with_its_seed():
    low, high = interval(KRIPPENDORFF, seed=3)

    assert low <= alpha(KRIPPENDORFF) <= high
    assert (low, high) == interval(KRIPPENDORFF, seed=3)


@pytest.mark.parametrize(
    ("value", "datasets", "word"),
    [(0.95, 4, "unknown"), (None, 9, "unknown"), (0.80, 5, "reliable"), (0.79, 5, "tentative"), (0.667, 5, "tentative"), (0.66, 5, "retrain")],
)
def test_bands_of_a_raters_alpha(value, datasets, word):
    assert rating(value, datasets) == word
