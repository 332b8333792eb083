"""Says which fault of the table a test injects, and which invariants it must find unbroken."""

import pytest

INVARIANTS = {
    "I1": "nothing is lost",
    "I2": "applied once or ten times is the same",
    "I3": "only the owner changes a record, only the national portal a decision",
    "I4": "the cursor never passes what is neither applied nor parked",
    "I5": "no delete without a tombstone; floods are held",
    "I6": "memory, disk and time are bounded",
    "I7": "a takedown is never undone",
    "I8": "the index converges to the database",
    "I9": "every change of state has its audit row",
    "I10": "one bad peer does not slow the others",
}
NUMBERS = [f"F{number}" for number in range(1, 73)]


def fault(number: str, invariants: str, what: str):
    """`number` as in the table, `invariants` separated by blanks. Several tests may carry one number; the row is good when all are."""
    assert number in NUMBERS and set(invariants.split()) <= set(INVARIANTS), (number, invariants)
    return pytest.mark.fault(number, invariants, what)
