"""The faults F1 to F72 as one table: fault, invariants, result, seconds.

    python -m tests.federation.faults.table [pytest arguments]

With DATABASE_URL, REDIS_URL and ELASTICSEARCH_URL set nothing is skipped. Ends with 1 when a fault fails or has no test.
"""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.federation.faults.marks import NUMBERS

FOLDER = Path(__file__).parent
WORST = ("failed", "skipped", "passed")


class Recorder:
    """By number: what is injected, the invariants, the worst result of its tests, and the seconds they took."""

    def __init__(self):
        self.marks, self.rows = {}, {}

    def pytest_collection_modifyitems(self, items):
        self.marks = {item.nodeid: [mark.args for mark in item.iter_markers("fault")] for item in items}

    def pytest_runtest_logreport(self, report):
        for number, invariants, what in self.marks.get(report.nodeid, []):
            row = self.rows.setdefault(number, {"what": what, "invariants": invariants, "result": "passed", "seconds": 0.0, "tests": set()})
            row["seconds"] += report.duration
            row["tests"].add(report.nodeid)
            if WORST.index(report.outcome) < WORST.index(row["result"]):
                row["result"] = report.outcome


def machine() -> str:
    version = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    return f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())} · {os.cpu_count()} cores · {version} · load {os.getloadavg()[0]:.1f}"


def main(arguments: list[str]) -> int:
    recorder, started = Recorder(), time.monotonic()
    code = pytest.main([str(FOLDER), "-q", "--no-header", "-p", "no:cacheprovider", *arguments], plugins=[recorder])
    rows = recorder.rows
    print(f"\n{machine()}\n\n| fault | injected | must hold | result | seconds |\n|---|---|---|---|---|")
    for number in NUMBERS:
        row = rows.get(number)
        values = (row["what"], row["invariants"], row["result"], f"{row['seconds']:.1f}") if row else ("", "", "no test", "")
        print(f"| {number} | {' | '.join(values)} |")
    missing = [number for number in NUMBERS if number not in rows]
    counts = {result: sum(row["result"] == result for row in rows.values()) for result in WORST}
    print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped, {len(missing)} without a test; ", end="")
    print(f"{sum(len(row['tests']) for row in rows.values())} tests in {time.monotonic() - started:.0f} s")
    return int(bool(code or missing or counts["failed"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
