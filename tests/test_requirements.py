"""docs/requirements.md names only tests that exist, and says nothing done without one."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (R\d+) \| (must|should|could) \| .* \| (done|part|later) \| (.*) \| (.*) \|$")


def rows():
    for line in (ROOT / "docs/requirements.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| R"):
            match = ROW.match(line)
            assert match, line
            yield match.groups()


def test_every_requirement_has_a_row():
    assert [row[0] for row in rows()] == [f"R{number}" for number in range(1, 121)]


def test_every_named_test_exists():
    missing = [f"{name}: {test}" for name, _level, _state, _where, test in rows() if test and not (ROOT / test.strip("` ")).exists()]

    assert missing == []


def test_nothing_is_done_without_a_test():
    assert [name for name, _level, state, _where, test in rows() if state == "done" and not test.strip()] == []
