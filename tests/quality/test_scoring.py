"""Bounds, documentation items, total, caps: pure functions, monotonic and reproducible."""

import copy
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality import engine
from quality.engine import default_scheme, live_score, snapshot_of
from quality.grading import ORDER
from quality.indicators.documentation import ITEMS
from quality.statistics import declining, lower_bound, upper_bound
from tests.factories import COMPLETE

FULL = COMPLETE | {
    "byte_size": 10**9,
    "resources": [{"name": "images.zip", "format": "JPEG", "byte_size": 10**9}],
    "samples": [{"name": "a.csv", "format": "CSV", "row_count": 300}],
    "access_method": "apply",
    "access_note": "在线申请，三个工作日内答复。",
    "source_types": ["self_collected"],
    "collection_method": "sensor",
    "collection_channel": "巡检车",
    "annotation_method": "manual",
    "license": "授权协议 1.0",
    "annotator_type": "professional",
    "deidentification": "车牌与人脸全部模糊，漏检率 0.2%，由安全部复核。",
    "rights_evidence": "合同 12 号",
    "knowledge_tier": "industry_general",
    "tier_criteria": {"knowledge_content": "a", "source_type": "b", "timeliness": "c"},
    "cognition_layer": "scene",
    "temporal_start": "2025-01-01",
    "temporal_end": "2025-12-31",
    "modified": "2026-01-10",
    "scenarios": ["路面巡检"],
    "documentation": {
        "distribution_note": {"parts": [{"name": "裂缝", "share": "60"}, {"name": "坑槽", "share": "40"}]},
        "label_statistics": {"labels": [{"name": "裂缝", "count": 600}, {"name": "坑槽", "count": 400}]},
        "data_source": {"sources": [{"name": "巡检车", "type": "自行采集", "authorization": "合同 12 号"}]},
        "limitations": {"text": "只在晴天采集，夜间和雨雪天气没有覆盖。" * 4},
        "processing_flow": {"steps": [{"name": "去重", "tool": "脚本", "date": "2026-01-02"}, {"name": "脱敏", "tool": "模型"}]},
        "annotation_rules": {"text": "按《路面病害分类》标注。" * 6},
        "version_control": {"changes": [{"version": "1.0", "date": "2026-01-01"}]},
        "evaluation_method": {"parts": [{"metric": "mAP"}]},
        "benchmark_results": {"results": [{"model": "YOLO", "metric": "mAP", "value": "0.81", "date": "2026-03-01"}]},
        "typical_cases": {"cases": [{"organization": "示例单位", "effect": "巡检提速"}]},
    },
}


def table(rows=500, **defects):
    column = {"name": "a", "filled": rows, "missing": 0, "misfits": 0, "dirty": 0}
    profile = {"readable": True, "name": "a.csv", "rows": rows, "columns": [column, dict(column, name="b")], "ragged_rows": 0, "duplicate_rows": 0,
               "blank_rows": 0, "findings": [], "personal_information": []}  # fmt: skip
    for name, value in defects.items():
        if name in column:
            profile["columns"][0][name] = value
            if name == "missing":
                profile["columns"][0]["filled"] = rows - value
        else:
            profile[name] = value
    return profile


def total(document, *profiles):
    return float(live_score(document, list(profiles))["total"])


@pytest.mark.parametrize(
    ("k", "n", "bound"),
    [(0, 59, 0.0495), (0, 299, 0.0100), (1, 93, 0.0500), (2, 124, 0.0500), (2, 313, 0.0200), (5, 523, 0.0200), (2, 628, 0.0100), (0, 50, 0.0582)],
)
def test_upper_bounds_are_the_published_acceptance_plans(k, n, bound):
    assert upper_bound(k, n) == pytest.approx(bound, abs=0.0002)


def test_an_upper_bound_solves_the_binomial_equation():
    from math import comb

    for k, n in [(1, 10), (3, 20), (7, 40), (19, 20)]:
        p = upper_bound(k, n)
        assert sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)) == pytest.approx(0.05, abs=1e-9)
    assert upper_bound(0, 0) == upper_bound(5, 5) == 1.0
    assert lower_bound(59, 59) == pytest.approx(0.9505, abs=1e-4)


@given(st.integers(1, 3000), st.data())
def test_bounds_grow_with_defects_and_cover_the_observed_rate(n, data):
    k = data.draw(st.integers(0, n - 1))

    assert k / n <= upper_bound(k, n) <= upper_bound(k + 1, n) <= 1.0


def test_the_curve_is_100_to_0():
    assert [declining(r, 0.1, 0.3) for r in (0, 0.1, 0.2, 0.3, 1)] == [100.0, 100.0, pytest.approx(50.0), 0.0, 0.0]


def test_the_twenty_items_of_the_vocabulary_are_judged():
    import csv

    from catalog.services.vocabularies import FOLDER

    with open(FOLDER / "documentation_items.csv", encoding="utf-8", newline="") as stream:
        rows = {(row["english"], row["indicator"]) for row in csv.DictReader(stream)}

    assert {(item.name, item.indicator) for item in ITEMS} == rows


def test_a_complete_documentation_reaches_100_and_an_empty_one_0():
    assert live_score(FULL)["documentation"] == 100
    assert live_score({})["documentation"] == 0
    assert [row["item"] for row in live_score(FULL)["advice"]] == ["samples"]


def test_words_alone_are_worth_half():
    document = {"documentation": {item.name: {"text": "有说明"} for item in ITEMS}}

    assert live_score(document)["documentation"] == 50


def test_a_sample_larger_than_the_declared_whole_contradicts_it():
    states = {row["item"]: row["state"] for row in live_score(FULL | {"record_count": 100}, [table(500)])["items"]}

    assert states["scale"] == "absent"


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(sorted(FULL))), st.sampled_from(sorted(FULL)))
def test_adding_a_documentation_field_never_lowers_the_score(names, added):
    document = {name: FULL[name] for name in names}

    assert total(document | {added: FULL[added]}) >= total(document)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(sorted(FULL["documentation"]))), st.sampled_from(sorted(FULL["documentation"])))
def test_adding_a_documentation_item_never_lowers_the_score(names, added):
    items = {name: FULL["documentation"][name] for name in names}

    assert total({"documentation": items | {added: FULL["documentation"][added]}}) >= total({"documentation": items})


DEFECTS = ("ragged_rows", "blank_rows", "duplicate_rows", "missing", "misfits", "dirty", "swallowed_lines", "bad_bytes")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(DEFECTS), st.dictionaries(st.sampled_from(DEFECTS), st.integers(0, 100)), st.integers(1, 200))
def test_adding_a_defect_never_raises_the_score(name, present, more):
    worse = present | {name: present.get(name, 0) + more}

    assert total(FULL, table(1000, **worse)) <= total(FULL, table(1000, **present))


def test_a_tiny_faultless_sample_cannot_score_100():
    def score(rows):
        measured, _grading = engine.evaluate(snapshot_of(FULL, [table(rows)]), default_scheme(), default_scheme()["profiles"][0])
        return measured["0201"].score

    assert score(20) < score(300) < score(5000) < 100


def test_grade_caps_are_kept_beside_the_raw_grade():
    result = live_score(FULL)

    assert (result["raw_grade"], result["grade"], result["assurance"]) == ("A", "C", "L0")
    assert [cap["rule"] for cap in result["caps"]] == ["V7"]


def test_with_a_good_sample_the_cap_is_b():
    result = live_score(FULL, [table(20_000)])

    assert (result["raw_grade"], result["grade"], result["assurance"]) == ("A", "B", "L1")


def test_no_licence_caps_at_c():
    document = {name: value for name, value in FULL.items() if name not in ("license_type", "license")}

    assert "V3" in [cap["rule"] for cap in live_score(document, [table(20_000)])["caps"]]


def test_real_personal_information_caps_at_c_and_names_the_column():
    risky = table(20_000, personal_information=[{"column": "备注", "kind": "id_card", "high_risk": True}])
    cap = live_score(FULL, [risky])["caps"][0]

    assert cap["rule"] == "V1" and "备注" in cap["message"] and cap["grade"] == "C"


def test_an_unreadable_file_caps_at_c_and_lowers_the_format_score():
    result = live_score(FULL, [table(20_000), {"readable": False, "columns": [], "rows": None}])

    assert "V2" in [cap["rule"] for cap in result["caps"]]
    assert float(result["total"]) < total(FULL, table(20_000))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(DEFECTS), st.integers(0, 1000)))
def test_the_final_grade_is_never_better_than_the_raw_one(present):
    result = live_score(FULL, [table(1000, **present)])

    assert ORDER.index(result["grade"]) >= ORDER.index(result["raw_grade"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "general"),
        ({"sectors": ["healthcare"]}, "healthcare"),
        ({"model_stages": ["pretrain"]}, "pretraining"),
        ({"model_stages": ["eval"]}, "benchmark"),
    ],
)
def test_the_profile_follows_sector_and_stage(fields, code):
    assert engine.choose_profile(fields, default_scheme()["profiles"])["code"] == code


def test_unlabelled_corpora_are_exempt_from_annotation_and_stay_within_the_limit():
    profile = next(row for row in default_scheme()["profiles"] if row["code"] == "pretraining")
    measured, grading = engine.evaluate(snapshot_of(FULL), default_scheme(), profile)

    assert measured["0203"].status == measured["0304"].status == "not_applicable"
    assert sum(grading.weights.values()) == pytest.approx(100)
    assert not any(cap["rule"] == "不适用" for cap in grading.caps)


def test_equal_inputs_give_equal_bytes_whatever_the_order_of_keys():
    scheme = default_scheme()

    def run(document, profile):
        snapshot = snapshot_of(document, [profile])
        measured, grading = engine.evaluate(snapshot, scheme, scheme["profiles"][0])
        return engine.result_bytes(snapshot, scheme, scheme["profiles"][0], measured, grading, 7)

    backwards = dict(reversed(list(copy.deepcopy(FULL).items())))

    assert run(FULL, table(100, missing=7)) == run(backwards, dict(reversed(list(table(100, missing=7).items()))))


def test_advice_is_ordered_by_points_and_true():
    document = {"title": "x", "record_count": 10}
    before = live_score(document)
    points = [float(row["points"]) for row in before["advice"]]
    licence = next(row for row in before["advice"] if row["item"] == "licence")

    after = total(document | {"license_type": "open_source", "license": "MIT"})

    assert points == sorted(points, reverse=True)
    assert after - float(before["total"]) == pytest.approx(float(licence["points"]), abs=0.02)


def test_a_live_score_takes_less_than_100_ms():
    live_score(FULL, [table(300)])
    started = time.perf_counter()

    live_score(FULL, [table(301)])

    assert time.perf_counter() - started < 0.1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*FULL, *(item.name for item in ITEMS)]), JSON),
    st.dictionaries(st.sampled_from([item.name for item in ITEMS]), JSON),
)
def test_no_document_however_odd_crashes_the_live_score(document, documentation):
    result = live_score(document | {"documentation": documentation}, [table(50)])

    assert 0 <= result["documentation"] <= 100


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["readable", "columns", "rows", "findings", "personal_information", "ragged_rows"]), JSON), max_size=2)
)
def test_no_profile_from_elsewhere_crashes_the_score(profiles):
    live_score({"samples": [{"profile": profile} for profile in profiles]})
