"""Three portals as processes under load, killed, frozen and with clocks off; ten minutes of it by a command, half a minute here."""

import pytest

from tests.federation.chaos import Chaos


@pytest.mark.processes
def test_nothing_is_lost_whatever_happens_to_three_portals(tmp_path):
    chaos = Chaos(tmp_path, seed=3)

    verdict = chaos.run(25)

    assert verdict == [], "; ".join(chaos.done)
    assert chaos.judged >= 3 and len(chaos.done) > 1
