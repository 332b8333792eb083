"""The first rows of an order are those that sorting everything puts first."""

import numpy as np
import pytest

from catalog.search.first import first


@pytest.mark.parametrize("seed", range(20))
def test_equals_sorting_everything(seed):
    chance = np.random.default_rng(seed)
    count = int(chance.integers(0, 3000))
    columns = [chance.integers(0, int(chance.integers(1, 40)), count) for _key in range(3)]
    columns += [chance.permutation(count)]
    everything = np.lexsort(columns[::-1])

    for most in (0, 1, 7, 200, count, count + 5):
        assert first(count, [column.__getitem__ for column in columns], most).tolist() == everything[:most].tolist()


def test_lighter_keys_are_asked_for_few():
    asked = []
    heavy = np.arange(100_000)

    def light(at):
        asked.append(len(at))
        return -at

    assert first(100_000, [heavy.__getitem__, light], 20).tolist() == list(range(20))
    assert max(asked) <= 80
