"""Puts a clock that tests can set into a portal's processes: the folder `site` on PYTHONPATH holds a sitecustomize."""

from pathlib import Path


def clock_path() -> str:
    return str(Path(__file__).parent / "site")
