"""The published rows as columns in process memory: filters, facet counts and sorting by numpy.

Values of a dimension are coded per row by their combination, so that rows with several values cost no more than rows with one.
A row keeps its place as long as it is published; columns have room to grow, so that a new row costs no copy of the others.
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
DELTAS = 64  # states that a snapshot remembers
UPDATED = (("30d", 30), ("90d", 90), ("1y", 365))  # cumulative: what is new this month is new this year
FIELDS = "dataset_id title_hash title_key title_length text_length listed modified byte_size grade static_score dimensions".split()
SELECTED = ", ".join("length(title)" if name == "title_length" else name for name in FIELDS)  # of SearchRow's table


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

    def codes(self, column) -> np.ndarray:
        found = list(map(self.code_of.get, column))
        if None in found:
            found = [self.code(packed) for packed in column]
        return np.array(found, dtype=np.int64)

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

    @cached_property
    def _everywhere(self) -> np.ndarray:
        """Rows per combination."""
        return np.bincount(self.codes, minlength=len(self.combinations.members))

    def with_codes(self, codes: np.ndarray, before: np.ndarray, after: np.ndarray) -> "Dimension":
        """The same dimension with other codes: those of `before` gave way to those of `after`. Totals follow without counting anew."""
        fresh, known = Dimension(self.combinations, codes), self.__dict__.get("_everywhere")
        if known is not None:
            width = len(self.combinations.members)
            fresh.__dict__["_everywhere"] = (
                _wide(known, width) - np.bincount(before, minlength=width)[:width] + np.bincount(after, minlength=width)[:width]
            )
        return fresh

    def totals(self, rows: np.ndarray, weights: np.ndarray | None = None, *, others: np.ndarray | None = None) -> dict[str, int]:
        """Rows, or their summed weights, per value; a row with two values counts in both. `rows` are positions, `others` all the
        other positions where they are known: the fewer of the two are counted."""
        owners, members = self.combinations.flat()
        width = len(self.combinations.members)
        if weights is None and len(rows) == len(self.codes):
            counted = self._everywhere
        elif weights is None and others is not None and len(others) < len(rows):
            counted = self._everywhere - np.bincount(self.codes[others], minlength=len(self._everywhere))[: len(self._everywhere)]
        else:
            counted = np.bincount(self.codes[rows], weights=weights, minlength=width)
        counted = _wide(counted, width)
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


def _wide(counted: np.ndarray, width: int) -> np.ndarray:
    """Another snapshot may have met more combinations since."""
    return np.concatenate([counted, np.zeros(width - len(counted), counted.dtype)]) if len(counted) < width else counted


def _updated_combinations() -> Combinations:
    """The one dimension that moves by itself, ranges that end today: code 0 is MISSING, 1 the last 30 days and so on."""
    known = Combinations()
    names = [name for name, _days in UPDATED]
    for packed in [MISSING, *(BETWEEN_VALUES.join(names[at:]) for at in range(len(names))), "older"]:
        known.code(packed)
    return known


UPDATED_COMBINATIONS = _updated_combinations()
DERIVED = {"updated": np.uint8, "worth": np.float32, "brevity": np.float32}  # worked out here, the first two as of a day


def _derived(numbers: dict[str, np.ndarray], day: int) -> dict[str, np.ndarray]:
    """`worth`: published weights, static_score plus 0.25 for freshness, halved every year. `brevity`: 1 for the shortest text."""
    age, known = day - numbers["modified"], numbers["modified"] > 0
    fresh = np.where(known, np.exp2(-np.clip(age, 0, 36500) / 365), 0)
    updated = np.where(known, np.searchsorted([days for _name, days in UPDATED], age, side="right") + 1, 0)
    return {
        "updated": updated.astype(np.uint8),
        "worth": (numbers["static_score"] + 0.25 * fresh).astype(np.float32),
        "brevity": (1 / (1 + np.log1p(numbers["text_length"] / 100))).astype(np.float32),
    }


def _today() -> int:
    return datetime.date.today().toordinal()


@dataclass(frozen=True)
class Snapshot:
    """Columns as of one version of the index. `places` gives the position of a dataset_id, or -1."""

    version: int = 0
    stamp: str = ""
    numbers: dict[str, np.ndarray] = field(default_factory=lambda: {name: np.zeros(0, kind) for name, kind in NUMBERS.items()})
    stored: dict[str, Dimension] = field(default_factory=lambda: {name: Dimension(Combinations(), np.zeros(0, np.uint8)) for name in STORED})
    derived: dict[str, np.ndarray] = field(default_factory=lambda: {name: np.zeros(0, kind) for name, kind in DERIVED.items()})
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    day: int = 0
    deltas: tuple[tuple[int, str, np.ndarray | None], ...] = ()  # (version, stamp, ids written) of late; None: rows went, places moved

    def changed_since(self, version: int, stamp: str) -> np.ndarray | None:
        """Ids of rows written since that state; None when that is not known."""
        for at, (known, mark, _ids) in enumerate(self.deltas):
            if (known, mark) == (version, stamp):
                later = [ids for _version, _stamp, ids in self.deltas[at + 1 :]]
                return None if any(ids is None for ids in later) else np.concatenate([np.zeros(0, np.int64), *later])
        return None

    def __len__(self) -> int:
        return len(self.numbers["dataset_id"])

    def dimension(self, name: str) -> Dimension:
        if name != "updated":
            return self.stored[name]
        codes, held = self._as_of_today()["updated"], self.__dict__.get("_updated")
        if held is None or held.codes is not codes:
            held = self.__dict__["_updated"] = Dimension(UPDATED_COMBINATIONS, codes)
        return held

    def _as_of_today(self) -> dict[str, np.ndarray]:
        today = _today()
        if self.day != today:
            object.__setattr__(self, "derived", _derived(self.numbers, today))
            object.__setattr__(self, "day", today)
        return self.derived

    @property
    def worth(self) -> np.ndarray:
        return self._as_of_today()["worth"]

    @property
    def brevity(self) -> np.ndarray:
        return self._as_of_today()["brevity"]

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
        if len(pks) and (pks.max() >= len(self.places) or pks.min() < 0):
            pks = pks[(pks >= 0) & (pks < len(self.places))]
        found = self.places[pks]
        there = found.view(np.uint32) < len(self)  # neither -1 nor a row that came later
        return found if there.all() else found[there]

    def with_rows(self, rows: list[tuple], gone: list[int], *, version: int, stamp: str, in_place: bool = False) -> "Snapshot":
        """A new snapshot: rows (of FIELDS) written over, `gone` taken out.

        `in_place` takes over the memory of this one, which is given up: what another thread is just reading from it may already have
        the new values of a changed row, but has no other rows than before.
        """
        here = self._without(self.positions(np.array(gone, dtype=np.int64))) if gone else self
        day, (fresh, codes) = _today(), _columns(rows, self.stored)
        fresh_derived = _derived(fresh, day)
        derived = here.derived if here.day == day else _derived(here.numbers, day)
        places, at, size = here._placed(fresh["dataset_id"], in_place)

        def joined(column: np.ndarray, new: np.ndarray, kind=None) -> np.ndarray:
            return _joined(column, new, at, size, kind or column.dtype, in_place)

        stored = {}
        for name, dimension in here.stored.items():
            kind = np.promote_types(dimension.codes.dtype, np.min_scalar_type(len(dimension.combinations.members)))
            before = dimension.codes[at[at < len(here)]]
            stored[name] = dimension.with_codes(joined(dimension.codes, codes[name], kind), before, codes[name])
        return Snapshot(
            version=version,
            stamp=stamp,
            numbers={name: joined(here.numbers[name], fresh[name]) for name in NUMBERS},
            stored=stored,
            derived={name: joined(derived[name], fresh_derived[name]) for name in DERIVED},
            places=places,
            day=day,
        )

    def _without(self, removed: np.ndarray) -> "Snapshot":
        if not len(removed):
            return self
        keep = np.ones(len(self), dtype=bool)
        keep[removed] = False
        numbers = {name: column[keep] for name, column in self.numbers.items()}
        places = np.full(len(self.places), -1, np.int32)
        places[numbers["dataset_id"]] = np.arange(len(numbers["dataset_id"]), dtype=np.int32)
        stored = {name: Dimension(dimension.combinations, dimension.codes[keep]) for name, dimension in self.stored.items()}
        derived = {name: column[keep] for name, column in self.derived.items()}
        return replace(self, numbers=numbers, stored=stored, derived=derived, places=places)

    def _placed(self, pks: np.ndarray, in_place: bool) -> tuple[np.ndarray, np.ndarray, int]:
        """(places with these datasets, where each of them stands, number of rows)."""
        places, high = self.places, int(pks.max()) + 1 if len(pks) else 0
        if high > len(places):
            places = np.full(high + high // 8 + 1024, -1, np.int32)
            places[: len(self.places)] = self.places
        elif not in_place:
            places = places.copy()
        at = places[pks]
        new = at < 0
        size = len(self) + int(new.sum())
        at[new] = np.arange(len(self), size, dtype=np.int32)
        places[pks] = at
        return places, at, size


def _joined(column: np.ndarray, new: np.ndarray, at: np.ndarray, size: int, kind: np.dtype, in_place: bool) -> np.ndarray:
    """The column with new values at these positions, in its own memory where that has room and may be used."""
    room = column.base
    if not in_place or room is None or len(room) < size or room.dtype != kind:
        room = np.empty(size + (size // 8 + 1024 if in_place else 0), kind)
        room[: len(column)] = column
    room[at] = new
    return room[:size]


def _columns(rows: list[tuple], stored: dict[str, Dimension]) -> tuple[dict, dict]:
    by_name = dict(zip(FIELDS, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(FIELDS, ())
    by_name["title_key"] = [bytes(key) for key in by_name["title_key"]]
    numbers = {name: np.array(by_name[name], dtype=kind) for name, kind in NUMBERS.items()}
    split = list(zip(*map(_fitting, by_name["dimensions"]), strict=True)) or [()] * len(STORED)
    return numbers, {name: stored[name].combinations.codes(split[at]) for at, name in enumerate(STORED)}


def _fitting(packed: str) -> list[str]:
    """A row that an older FORMAT wrote may have other dimensions; until it is written anew it counts as not filled in."""
    values = packed.split(BETWEEN_DIMENSIONS)
    return values if len(values) == len(STORED) else [MISSING] * len(STORED)
