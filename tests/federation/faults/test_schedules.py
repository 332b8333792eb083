"""Random order of all of these: seeded histories of three real portals, judged by the checker (F72)."""

import pytest

from tests.federation.faults.marks import fault
from tests.federation.schedules import KEPT, Box


@pytest.fixture(scope="module")
def box(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), Box() as made:
        yield made


@pytest.mark.processes  # portals with databases of their own, whatever the run is on
@fault("F72", "I1 I2 I3 I4 I5 I7 I9", "random order of all of these: 50 seeds (1,000 by a command)")
@pytest.mark.parametrize("seeds", [range(start, start + 10) for start in range(1, 51, 10)] + ([KEPT] if KEPT else []), ids=str)
def test_f72_random_schedules(box, django_db_blocker, seeds):
    with django_db_blocker.unblock():
        for seed in seeds:
            verdict, done = box.run(seed, steps=24)
            assert verdict == [], f"seed {seed}: {'; '.join(done)}"
