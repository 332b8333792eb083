"""Where the shared test data lie: JIMU_SHARED, or beside the checkout. Tests that need them are skipped without."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(*parts: str) -> Path:
    places = [os.environ.get("JIMU_SHARED"), ROOT.parent / "shared", ROOT.parent.parent / "shared"]
    for place in places:
        if place and (path := Path(place, *parts)).exists():
            return path
    pytest.skip(f"shared/{'/'.join(parts)} is not here (set JIMU_SHARED)")
