"""Columns in memory: whatever the order of changes, the same as when read anew; old snapshots stay usable."""

import datetime
import random

import numpy as np
import pytest

from catalog.search import columns
from catalog.search.columns import FIELDS, NUMBERS, UPDATED, Snapshot
from catalog.search.document import BETWEEN_DIMENSIONS, BETWEEN_VALUES, STORED
from catalog.search.query import MISSING

TODAY = datetime.date.today().toordinal()


def row(chance: random.Random, pk: int) -> tuple:
    packed = BETWEEN_DIMENSIONS.join(BETWEEN_VALUES.join(chance.sample("abcdefgh", chance.randint(1, 3))) for _name in STORED)
    modified = chance.choice([0, TODAY - chance.randint(0, 800)])
    number = chance.randint
    head = (pk, number(0, 99), b"k%02d" % number(0, 99), number(1, 60), number(1, 999))
    return (*head, number(0, 10**9), modified, number(-1, 10**15), number(0, 4), chance.random() * 0.75, packed)


def said(snapshot: Snapshot) -> dict:
    """Everything a snapshot tells, whatever the order of its rows."""
    order = np.argsort(snapshot.numbers["dataset_id"])
    everything = np.arange(len(snapshot))
    numbers = {name: snapshot.numbers[name][order].tolist() for name in NUMBERS}
    totals = {name: snapshot.dimension(name).totals(everything) for name in (*STORED, "updated")}
    masks = {name: snapshot.dimension(name).mask(["a", "30d"])[order].tolist() for name in (*STORED, "updated")}
    derived = [snapshot.worth[order].tolist(), snapshot.brevity[order].tolist()]
    return {"numbers": numbers, "totals": totals, "masks": masks, "derived": derived}


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_changes_one_after_another_equal_reading_anew(seed, in_place):
    chance, snapshot, rows = random.Random(seed), Snapshot(), {}
    for version in range(1, 12):
        changed = {pk: row(chance, pk) for pk in chance.sample(range(1, 60), chance.randint(0, 20))}
        gone = [pk for pk in chance.sample(range(1, 80), chance.randint(0, 5)) if pk not in changed]
        snapshot = snapshot.with_rows(list(changed.values()), gone, version=version, stamp="x", in_place=in_place)
        rows = {pk: told for pk, told in {**rows, **changed}.items() if pk not in gone}
        anew = Snapshot().with_rows(list(rows.values()), [], version=version, stamp="x")

        assert said(snapshot) == said(anew)
        half = np.flatnonzero(np.arange(len(snapshot)) % 7 > 1)
        others = np.flatnonzero(np.arange(len(snapshot)) % 7 <= 1)
        for name in ("sector", "updated"):
            dimension = snapshot.dimension(name)
            assert dimension.totals(half, others=others) == dimension.totals(half)
        wanted = np.array([*rows, 10**6, 77, -5], dtype=np.int64)
        assert snapshot.numbers["dataset_id"][snapshot.positions(wanted)].tolist() == [pk for pk in wanted.tolist() if pk in rows]


def test_an_older_snapshot_answers_while_a_newer_one_takes_its_memory():
    chance = random.Random(1)
    old = Snapshot().with_rows([row(chance, pk) for pk in range(1, 40)], [], version=1, stamp="a", in_place=True)
    before = old.dimension("sector").totals(np.arange(len(old)))

    new = old.with_rows([row(chance, pk) for pk in range(40, 90)], [], version=2, stamp="b", in_place=True)

    assert len(old) == 39 and len(new) == 89
    assert old.dimension("sector").totals(np.arange(len(old))) == before
    assert len(old.positions(np.arange(1, 90))) == 39
    assert np.shares_memory(old.numbers["listed"], new.numbers["listed"])


def test_updated_counts_ranges_that_end_today(monkeypatch):
    monkeypatch.setattr(columns, "_today", lambda: TODAY)
    chance = random.Random(2)
    days = [0, TODAY, TODAY - 29, TODAY - 30, TODAY - 89, TODAY - 90, TODAY - 364, TODAY - 365, TODAY + 9]
    at = FIELDS.index("modified")
    rows = [(*(told := row(chance, pk))[:at], day, *told[at + 1 :]) for pk, day in enumerate(days, 1)]
    snapshot = Snapshot().with_rows(rows, [], version=1, stamp="a")

    found = snapshot.dimension("updated").totals(np.arange(len(snapshot)))

    expected = {name: sum(day > TODAY - limit for day in days if day) for name, limit in UPDATED}
    assert found == expected | {"older": 1, MISSING: 1}
    assert snapshot.dimension("updated").mask(["older"]).sum() == 1


def test_rows_of_an_older_format_count_as_not_filled_in():
    told = (*row(random.Random(3), 1)[:-1], "transport\x1eodd")

    snapshot = Snapshot().with_rows([told], [], version=1, stamp="a")

    assert snapshot.dimension("sector").totals(np.arange(1)) == {MISSING: 1}
