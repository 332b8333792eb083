"""The published rows as columns in process memory: filters, facet counts and sorting by numpy.

A snapshot is immutable; a changed row gives a new one. Values of a dimension are coded per row by their combination, so
that rows with several values cost no more than rows with one.
"""

import datetime
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from catalog.search.document import BEFORE_LABEL, BETWEEN_DIMENSIONS, BETWEEN_VALUES, STORED
from catalog.search.query import MISSING, RANGES
from catalog.search.text import fold

NUMBERS = {  # column of SearchRow: type in memory
    "dataset_id": np.int64,
    "title_hash": np.int64,
    "title_key": "S32",
    "title_length": np.int32,
    "text_length": np.int32,
    "listed": np.int64,
    "modified": np.int32,
    "byte_size": np.int64,
    "grade": np.int8,
    "static_score": np.float32,
}
UPDATED = (("30d", 30), ("90d", 90), ("1y", 365))  # cumulative: what is new this month is new this year
FIELDS = ("dataset_id", "title_hash", "title_key", "title", "text_length", "listed", "modified", "byte_size", "grade", "static_score", "dimensions")


class Combinations:
    """Every distinct set of values seen in one dimension, and its code. It only grows and is shared by snapshots."""

    def __init__(self):
        self.code_of: dict[str, int] = {}
        self.value_of: dict[str, int] = {}
        self.values: list[str] = []
        self.labels: dict[str, str] = {}
        self.members: list[tuple[int, ...]] = []
        self._flat = None
        self._folded: list[str] = []

    def code(self, packed: str) -> int:
        code = self.code_of.get(packed)
        if code is None:
            self.members.append(tuple(self._value(value) for value in packed.split(BETWEEN_VALUES)))
            code = self.code_of[packed] = len(self.members) - 1
        return code

    def _value(self, text: str) -> int:
        value, _mark, label = text.partition(BEFORE_LABEL)
        if label:
            self.labels[value] = label
        if value not in self.value_of:
            self.values.append(value)
            self.value_of[value] = len(self.values) - 1
        return self.value_of[value]

    def folded(self) -> list[str]:
        """The name of each value as search sees it; each is folded once in the life of the process."""
        for value in self.values[len(self._folded) :]:
            self._folded.append(fold(self.labels.get(value, value)))
        return self._folded

    def flat(self) -> tuple[np.ndarray, np.ndarray]:
        """(combination, value) pairs of everything seen so far."""
        if self._flat is None or self._flat[0] != len(self.members):
            members = self.members[:]
            owners = np.repeat(np.arange(len(members)), [len(member) for member in members])
            values = np.array([value for member in members for value in member], dtype=np.int64)
            self._flat = (len(members), owners, values)
        return self._flat[1:]


@dataclass(frozen=True)
class Dimension:
    combinations: Combinations
    codes: np.ndarray

    def mask(self, values) -> np.ndarray:
        """Rows that have one of the values."""
        wanted = [code for value in values if (code := self.combinations.value_of.get(value)) is not None]
        owners, members = self.combinations.flat()
        table = np.zeros(len(self.combinations.members) + 1, dtype=bool)
        table[owners[np.isin(members, wanted)]] = True
        return table[self.codes]

    def totals(self, rows: np.ndarray, weights: np.ndarray | None = None) -> dict[str, int]:
        """Rows, or their summed weights, per value; a row with two values counts in both. `rows` are positions."""
        owners, members = self.combinations.flat()
        counted = np.bincount(self.codes[rows], weights=weights, minlength=len(self.combinations.members))
        sums = np.bincount(members, weights=counted[owners], minlength=1) if len(members) else np.zeros(0)
        return {self.combinations.values[at]: int(sums[at]) for at in np.flatnonzero(sums)}

    def pairs(self, other: "Dimension", rows: np.ndarray) -> dict[tuple[str, str], int]:
        width = len(other.combinations.members) + 1
        keys, counts = np.unique(self.codes[rows].astype(np.int64) * width + other.codes[rows], return_counts=True)
        table: dict[tuple[str, str], int] = {}
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            for left in self.combinations.members[key // width]:
                for right in other.combinations.members[key % width]:
                    pair = (self.combinations.values[left], other.combinations.values[right])
                    table[pair] = table.get(pair, 0) + count
        return table


class Updated:
    """The one dimension that moves by itself: ranges that end today."""

    def __init__(self, modified: np.ndarray, today: int):
        known = modified > 0
        self.masks = {name: known & (modified > today - days) for name, days in UPDATED}
        self.masks["older"] = known & (modified <= today - UPDATED[-1][1])
        self.masks[MISSING] = ~known

    def mask(self, values) -> np.ndarray:
        chosen = [self.masks[value] for value in values if value in self.masks]
        return np.logical_or.reduce(chosen) if chosen else np.zeros_like(self.masks[MISSING])

    def totals(self, rows: np.ndarray, weights: np.ndarray | None = None) -> dict[str, int]:
        weights = np.ones(len(rows)) if weights is None else weights
        sums = {name: int(weights[mask[rows]].sum()) for name, mask in self.masks.items()}
        return {name: total for name, total in sums.items() if total}

    def pairs(self, other, rows: np.ndarray) -> dict[tuple[str, str], int]:
        return {(name, right): count for name, mask in self.masks.items() for right, count in other.totals(rows[mask[rows]]).items()}


@dataclass(frozen=True)
class Snapshot:
    """Columns sorted by dataset_id, as of one version of the index."""

    version: int = 0
    stamp: str = ""
    numbers: dict[str, np.ndarray] = field(default_factory=lambda: {name: np.zeros(0, kind) for name, kind in NUMBERS.items()})
    stored: dict[str, Dimension] = field(default_factory=lambda: {name: Dimension(Combinations(), np.zeros(0, np.uint8)) for name in STORED})

    def __len__(self) -> int:
        return len(self.numbers["dataset_id"])

    def dimension(self, name: str) -> Dimension | Updated:
        return self._updated(datetime.date.today().toordinal()) if name == "updated" else self.stored[name]

    def _updated(self, today: int) -> Updated:
        held = self.__dict__.get("_updated_held")
        if held is None or held[0] != today:
            held = (today, Updated(self.numbers["modified"], today))
            object.__setattr__(self, "_updated_held", held)
        return held[1]

    def within(self, ranges: dict[str, tuple[int | None, int | None]]) -> np.ndarray | None:
        """Rows in all of these ranges; None where none are asked for. A number that is not known (0, -1) is in no range."""
        mask = None
        for name, (low, high) in ranges.items():
            column = self.numbers[RANGES[name]]
            inside = column >= max(low or 1, 1)
            if high is not None:
                inside &= column <= min(high, np.iinfo(column.dtype).max)
            mask = inside if mask is None else mask & inside
        return mask

    def everywhere(self, name: str) -> dict[str, int]:
        """Rows per value of a stored dimension over all rows; worked out once."""
        held = self.__dict__.setdefault("_everywhere", {})
        if name not in held:
            held[name] = self.stored[name].totals(np.arange(len(self)))
        return held[name]

    def positions(self, pks: np.ndarray) -> np.ndarray:
        """Where these datasets stand; those that are not here are left out."""
        known = self.numbers["dataset_id"]
        if not len(known) or not len(pks):
            return np.zeros(0, np.int64)
        at = np.minimum(np.searchsorted(known, pks), len(known) - 1)
        return at[known[at] == pks]

    @cached_property
    def title_rank(self) -> np.ndarray:
        order = np.argsort(self.numbers["title_key"], kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        return rank

    @cached_property
    def worth(self) -> np.ndarray:
        """Published weights: static_score plus 0.25 for freshness, halved every year."""
        age = datetime.date.today().toordinal() - self.numbers["modified"]
        fresh = np.where(self.numbers["modified"] > 0, np.exp2(-np.clip(age, 0, 36500) / 365), 0)
        return self.numbers["static_score"] + 0.25 * fresh

    def with_rows(self, rows: list[tuple], gone: list[int], *, version: int, stamp: str) -> "Snapshot":
        """A new snapshot: rows (of FIELDS) written over, `gone` taken out."""
        changed = np.array([row[0] for row in rows] + list(gone), dtype=np.int64)
        kept = ~np.isin(self.numbers["dataset_id"], changed)
        fresh, codes = _columns(rows, self.stored)
        numbers = {name: np.concatenate([self.numbers[name][kept], fresh[name]]) for name in NUMBERS}
        order = np.argsort(numbers["dataset_id"], kind="stable")
        stored = {}
        for name, dimension in self.stored.items():
            kind = np.min_scalar_type(len(dimension.combinations.members))
            joined = np.concatenate([dimension.codes[kept], codes[name]]).astype(kind)
            stored[name] = Dimension(dimension.combinations, joined[order])
        return replace(self, version=version, stamp=stamp, numbers={name: column[order] for name, column in numbers.items()}, stored=stored)


def _columns(rows: list[tuple], stored: dict[str, Dimension]) -> tuple[dict, dict]:
    by_name = dict(zip(FIELDS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(FIELDS, ())
    by_name["title_length"] = [len(title) for title in by_name["title"]]
    by_name["title_key"] = [bytes(key) for key in by_name["title_key"]]
    numbers = {name: np.array(by_name[name], dtype=kind) for name, kind in NUMBERS.items()}
    split = list(zip(*(packed.split(BETWEEN_DIMENSIONS) for packed in by_name["dimensions"]), strict=True)) or [()] * len(STORED)
    codes = {name: np.array([stored[name].combinations.code(text) for text in split[at]], dtype=np.int64) for at, name in enumerate(STORED)}
    return numbers, codes
