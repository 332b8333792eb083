"""Every planted fault is found, under the right indicator, with the right place; a clean table shows none of them."""

import pytest

from quality.indicators.registry import Snapshot, measure_all
from quality.profiling import profile_file, storable
from tests.quality import faults


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda item: item.name)
def test_a_planted_fault_is_found(tmp_path, fault):
    path = tmp_path / fault.name
    path.write_bytes(fault.make())

    profile = profile_file(path)

    assert profile["readable"] == fault.readable, profile["reason"]
    if fault.code:
        seen = [(row["indicator"], row["code"], row["place"], row["message"]) for row in profile["findings"]]
        assert faults.found_in(fault, profile), seen


def test_a_clean_table_has_no_findings(tmp_path):
    path = tmp_path / "clean.csv"
    path.write_text(faults.table(), encoding="utf-8")

    assert profile_file(path)["findings"] == []


@pytest.mark.parametrize(
    ("indicator", "name"),
    [
        ("0201", "ragged.csv"), ("0201", "misfit.csv"), ("0201", "blank_rows.csv"), ("0201", "bad_byte.csv"), ("0201", "nested.zip"),
        ("0202", "glued_ids.csv"), ("0202", "secret.csv"), ("0202", "lexicon.csv"), ("0204", "disguised_null.csv"), ("0204", "missing.csv"),
        ("0206", "mixed_units.csv"),
        ("0206", "conflict.csv"), ("0206", "variants.csv"), ("0208", "duplicates.csv"), ("0208", "near_duplicates.csv"),
        ("0208", "repetitive.csv"),
    ],
)  # fmt: skip
def test_a_planted_fault_lowers_its_indicator(tmp_path, indicator, name):
    fault = next(item for item in faults.FAULTS if item.name == name)
    clean, spoilt = tmp_path / "clean.csv", tmp_path / name
    clean.write_text(faults.table(), encoding="utf-8")
    spoilt.write_bytes(fault.make())

    before, after = (measure_all(Snapshot({}, (storable(profile_file(path)),)))[indicator].score for path in (clean, spoilt))

    assert after is not None and (before is None or after < before)


def test_the_table_in_the_documentation_is_the_generated_one():
    text = (faults.Path(__file__).resolve().parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")

    shown = text.partition(faults.MARKERS[0])[2].partition(faults.MARKERS[1])[0]

    assert [fault.name for fault in faults.FAULTS if f"`{fault.name}`" not in shown] == []
    assert "not found" not in shown
