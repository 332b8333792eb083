"""Sources of one indicator, limits that people set and lift, assurance, confidence and interval; pure."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality import advising, engine
from quality.combining import interval
from quality.drift import distributions, drifted, psi
from quality.engine import default_scheme, snapshot_of
from quality.grading import ORDER, grade
from quality.indicators.registry import CODES, Measure
from quality.opinions import Inputs, Opinion, Ruling
from tests.quality.test_scoring import FULL, table

SCHEME = default_scheme()
GENERAL = SCHEME["profiles"][0]
JUDGED = [code for code in CODES if SCHEME["shares"][code][1]]


def graded(document=FULL, profiles=(), inputs=None, seed=0):
    snapshot = replace(snapshot_of(document, list(profiles), scheme=SCHEME), inputs=inputs or Inputs())
    return engine.evaluate(snapshot, SCHEME, GENERAL, seed=seed)[1]


def experts(value=95.0, n=3, codes=JUDGED, **detail):
    return tuple(Opinion("expert", code, value, n, detail=detail) for code in codes)


def test_sources_keep_their_shares_and_are_renormalised():
    only = graded().combined["0101"]
    both = graded(inputs=Inputs(experts(40.0, codes=["0101"]))).combined["0101"]

    assert only.score == 100 and [row["share"] for row in only.sources] == ["100"]
    assert both.score == pytest.approx((70 * 100 + 20 * 40) / 90, abs=0.01)
    assert [(row["source"], row["share"]) for row in both.sources] == [("metadata", "78"), ("expert", "22")]


def test_users_count_from_ten_ratings_on():
    few, enough = (graded(inputs=Inputs((Opinion("user", "0303", 20.0, n),))).combined["0303"].score for n in (9, 10))

    assert few == 100 and enough < few


def test_a_declaration_alone_carries_only_its_part_of_the_weight():
    combined = graded({"deidentification": "车牌全部模糊，漏检率 0.2%，由安全部复核。"}).combined["0202"]

    assert combined.status == "declared" and combined.score == 50
    assert combined.known == pytest.approx(0.2)


def test_programs_and_experts_that_differ_by_more_than_20_are_both_shown():
    close, far = (graded(profiles=[table(20_000)], inputs=Inputs(experts(value, codes=["0208"]))).combined["0208"] for value in (85.0, 30.0))

    assert not close.is_disputed and far.is_disputed
    assert {row["source"] for row in far.sources} == {"sample", "expert"}


def test_three_experts_on_half_of_the_weight_lift_the_limit_and_two_do_not():
    levels = [
        graded(profiles=[table(50_000)], inputs=Inputs(rows)).assurance
        for rows in ((), experts(n=2), experts(), experts(codes=["0207"]), experts(full=True))
    ]

    assert levels == ["L1", "L1", "L2", "L1", "L3"]
    assert graded(profiles=[table(50_000)], inputs=Inputs(experts(96.0))).final_grade == "A"
    assert graded(profiles=[table(50_000)]).final_grade == "B"


RISKY = table(500, personal_information=[{"column": "备注", "high_risk": True}])


def test_personal_information_waits_for_a_person_then_is_confirmed_or_dismissed():
    def limit(*rulings):
        caps = graded(profiles=[RISKY], inputs=Inputs(experts(), tuple(rulings))).caps
        return next((row["grade"] for row in caps if row["rule"] == "V1"), None)

    assert limit() == "C"
    assert limit(Ruling("V1", "confirmed", "五个有效身份证号")) == "D"
    assert limit(Ruling("V1", "dismissed", "演示号段")) is None


def test_data_called_generated_but_not_synthetic_is_a_false_declaration():
    wrong = graded(FULL | {"collection_method": "generated"})
    stated = graded(FULL | {"collection_method": "generated", "is_synthetic": True, "synthetic_method": "扩散模型"})

    assert wrong.final_grade == "D" and "V4" in [row["rule"] for row in wrong.caps]
    assert "V4" not in [row["rule"] for row in stated.caps]


def test_a_conflict_of_interest_voids_what_experts_said():
    clean = graded(profiles=[table(50_000)], inputs=Inputs(experts(96.0)))
    found = graded(profiles=[table(50_000)], inputs=Inputs(experts(96.0), (Ruling("V8", "confirmed", "与提供方同属一家机构"),)))

    assert (clean.final_grade, clean.assurance) == ("A", "L2")
    assert found.assurance == "L1" and found.final_grade == "C"


def test_every_limit_says_how_it_is_lifted():
    caps = graded(FULL | {"collection_method": "generated"}, [RISKY, {"readable": False, "columns": [], "rows": None}]).caps

    assert caps and all(row["lift"] for row in caps)


def test_confidence_grows_with_what_the_sources_are_worth():
    levels = [
        graded(),
        graded(profiles=[table(5000)]),
        graded(profiles=[table(5000)], inputs=Inputs(is_sample_drawn=True)),
        graded(profiles=[table(5000)], inputs=Inputs(experts(), is_sample_drawn=True)),
        graded(profiles=[table(5000)], inputs=Inputs(experts(full=True), is_sample_drawn=True)),
    ]

    assert [row.confidence for row in levels] == sorted({row.confidence for row in levels})


def test_the_interval_is_seeded_narrows_with_the_sample_and_is_exact_for_metadata():
    assert graded().half_width == 0
    wide, narrow = graded(profiles=[table(60, missing=3)], seed=7).half_width, graded(profiles=[table(60_000, missing=3000)], seed=7).half_width

    assert wide > narrow > 0
    assert graded(profiles=[table(60, missing=3)], seed=7).half_width == wide


def test_the_interval_of_a_share_covers_it_in_95_of_100_draws():
    source, hits, draws, n = random.Random(3), 0, 600, 200
    for _draw in range(draws):
        k = sum(source.random() < 0.8 for _row in range(n))
        low, high = interval(Measure("measured", 100.0 * k / n, n=n, source="sample"))
        hits += low <= 80.0 <= high

    assert 0.92 <= hits / draws <= 0.98


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(JUDGED), st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1))
def test_a_better_opinion_never_lowers_total_or_grade(values):
    worse = Inputs(tuple(Opinion("expert", code, float(min(pair)), 3) for code, pair in sorted(values.items())))
    better = Inputs(tuple(Opinion("expert", code, float(max(pair)), 3) for code, pair in sorted(values.items())))
    low, high = graded(profiles=[table(900)], inputs=worse), graded(profiles=[table(900)], inputs=better)

    assert low.raw_score <= high.raw_score and ORDER.index(low.final_grade) >= ORDER.index(high.final_grade)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(CODES), max_size=12))
def test_what_does_not_apply_may_weigh_20_of_100_and_no_more(exempt):
    measured = {code: Measure("not_applicable") if code in exempt else Measure("measured", 99.0, source="sample", n=10**6) for code in CODES}
    found = grade(measured, GENERAL["weights"], SCHEME, snapshot_of(FULL, [table(100)], scheme=SCHEME))

    over = sum(GENERAL["weights"][code] for code in exempt) > 20
    assert ("不适用" in [row["rule"] for row in found.caps]) == over
    assert not over or found.final_grade in "CD"


def test_equal_inputs_of_people_give_equal_bytes_whatever_their_order():
    from quality.services.inputs import _inputs

    rows = [*experts(70.0), Opinion("user", "0303", 60.0, 12), Ruling("V1", "dismissed", "x")]

    def run(values):
        snapshot = replace(snapshot_of(FULL, [table(300)], scheme=SCHEME), inputs=_inputs(values))
        measured, grading = engine.evaluate(snapshot, SCHEME, GENERAL, seed=1)
        return engine.result_bytes(snapshot, SCHEME, GENERAL, measured, grading, 1)

    assert run(rows) == run(rows[::-1])


def test_the_plan_is_what_the_steps_really_reach():
    document = {key: value for key, value in FULL.items() if key not in ("license", "license_type", "rights_evidence", "modalities")}
    snapshot = snapshot_of(document, [table(20_000)], scheme=SCHEME)
    measured, grading = engine.evaluate(snapshot, SCHEME, GENERAL)
    rows = advising.advice(snapshot, grading, SCHEME)
    plan = advising.plan(rows, snapshot, measured, GENERAL["weights"], SCHEME, grading)

    gained = sum(float(row["points"]) for row in rows[:3])
    assert plan["steps"] == 3 and float(plan["after"]) == pytest.approx(float(plan["before"]) + gained, abs=0.05)
    licence = next(row for row in rows if row["item"] == "licence")
    assert licence["lifts"] == "V3" and licence["effort"] == "minutes"
    assert "V3" not in [row["rule"] for row in advising.after([licence], snapshot, measured, GENERAL["weights"], SCHEME).caps]


def column(counts, name="类别"):
    filled = sum(counts.values())
    return {"name": name, "filled": filled, "missing": 0, "distinct": len(counts), "top": [{"value": k, "count": n} for k, n in counts.items()]}


def bins(edges, counts):
    rows = [{"from": a, "to": b, "count": n} for (a, b), n in zip(zip(edges, edges[1:], strict=False), counts, strict=True)]
    return {"name": "值", "filled": sum(counts), "missing": 0, "histogram": rows}


def test_drift_is_found_over_labels_and_over_bins_with_other_edges():
    before = distributions([{"columns": [column({"a": 500, "b": 500}), bins([0, 1, 2, 3, 4], [250, 250, 250, 250])]}])
    same = distributions([{"columns": [column({"b": 252, "a": 248}), bins([0, 2, 3, 4], [200, 100, 100])]}])
    moved = distributions([{"columns": [column({"a": 900, "b": 100}), bins([3, 3.5, 4, 5], [100, 100, 200])]}])

    assert drifted(before, same) == []
    assert {row["column"] for row in drifted(before, moved)} == {"类别", "值"}
    assert psi(before["类别"], before["类别"]) == 0
