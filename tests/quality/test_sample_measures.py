"""The measures from samples: monotonic, independent of the order of rows, the same bytes for the same file, honest at their bound."""

import json
import random

import pytest

from quality.indicators.registry import Snapshot, measure_all
from quality.profiling import profile_file, storable
from quality.statistics import upper_bound
from tests.quality import faults

SAMPLE = ("0201", "0202", "0203", "0204", "0205", "0206", "0208", "0301", "0302", "0305")


def measured(tmp_path, content, name="table.csv", document=None, **more):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    profile = storable(profile_file(path)) | more
    return measure_all(Snapshot(document or {}, (profile,)))


DEFECTS = {
    "0201": lambda rows, n: rows[n].append("多出"),
    "0202": lambda rows, n: rows[n].__setitem__(2, f"患者{faults.identity(random.Random(n))}已出院"),
    "0204": lambda rows, n: rows[n].__setitem__(2, "NA"),
    "0206": lambda rows, n: rows[n].__setitem__(4, rows[n][4].replace("-", "/")),
    "0208": lambda rows, n: rows.__setitem__(n, rows[0].copy()),
}


@pytest.mark.parametrize("indicator", DEFECTS)
def test_more_of_a_defect_never_raises_its_score(tmp_path, indicator):
    scores = []
    for number in (0, 2, 20, 100, 140):
        spoilt = faults.table(lambda rows, number=number: [DEFECTS[indicator](rows, 1 + 2 * n) for n in range(number)])
        scores.append(measured(tmp_path, spoilt)[indicator].score)

    assert scores == sorted(scores, reverse=True) and scores[-1] < scores[0], scores


def test_the_order_of_rows_does_not_matter(tmp_path):
    header, *rows = faults.table(lambda rows: rows.extend(rows[:7])).strip().split("\n")
    shuffled = rows.copy()
    random.Random(2).shuffle(shuffled)

    one, other = (measured(tmp_path, "\n".join([header, *lines]) + "\n") for lines in (rows, shuffled))

    for code in SAMPLE:
        assert one[code].score == other[code].score, code


def test_the_same_file_gives_the_same_bytes(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(faults.table(), encoding="utf-8")

    first, second = (json.dumps(storable(profile_file(path)), sort_keys=True) for _ in range(2))

    assert first == second


def test_the_bound_covers_the_true_rate_as_often_as_it_says():
    draw = random.Random(11)
    for rate, n in ((0.01, 300), (0.05, 120), (0.2, 60)):
        covered = sum(upper_bound(sum(draw.random() < rate for _ in range(n)), n) >= rate for _ in range(800))

        assert covered / 800 >= 0.93, (rate, n)


def test_labels_outside_the_declared_set_lower_the_labelling(tmp_path):
    declared = {"documentation": {"label_statistics": {"labels": [{"name": name, "count": 100} for name in ("裂缝", "坑槽", "车辙")]}}}
    strange = faults.table(lambda rows: [row.__setitem__(5, "不明") for row in rows[:40]])

    good, bad = measured(tmp_path, faults.table(), document=declared)["0203"], measured(tmp_path, strange, document=declared)["0203"]

    assert bad.score < good.score
    assert {"place": "", "text": "不明"} in next(item for item in bad.value["checks"] if item["rule"] == "0203.membership")["examples"]


def test_labels_of_noise_are_not_learnable_and_labels_of_text_are(tmp_path):
    draw = random.Random(4)
    noise = faults.table(lambda rows: [row.__setitem__(5, draw.choice("甲乙丙")) for row in rows])
    words = {"甲": "晴朗无云的天空", "乙": "连日暴雨积水", "丙": "冰雪覆盖路面"}
    told = faults.table(
        lambda rows: [row.__setitem__(5, k := "甲乙丙"[n % 3]) or row.__setitem__(2, f"{words[k]}，记录{n * 37}") for n, row in enumerate(rows)]
    )

    of_noise, of_text = measured(tmp_path, noise)["0305"].score, measured(tmp_path, told)["0305"].score

    assert of_noise < 15 < of_text == 60


def test_shuffled_labels_raise_the_hint_which_is_never_a_score(tmp_path):
    words = {"甲": "晴朗无云的天空", "乙": "连日暴雨积水", "丙": "冰雪覆盖路面"}

    def change(wrong):
        def spoil(rows):
            for n, row in enumerate(rows):
                row[5] = "甲乙丙"[n % 3]
                row[2] = f"{words[row[5]]}，记录{n * 37}"
            for row in rows[:wrong]:
                row[5] = {"甲": "乙", "乙": "丙", "丙": "甲"}[row[5]]

        return spoil

    clean, noisy = (measured(tmp_path, faults.table(change(wrong)))["0304"] for wrong in (0, 45))

    assert clean.score is None and noisy.score is None and noisy.status == "not_measured"
    assert noisy.value["hint"]["excess"] >= 10 > 5 > clean.value["hint"]["excess"]


def test_age_of_the_newest_record_counts_by_the_half_life_of_the_sector(tmp_path):
    recent, old = (
        measured(tmp_path, faults.table(), read_on=day, document={"sectors": ["finance"]})["0303"].score for day in ("2026-09-29", "2027-03-27")
    )

    assert recent == 100 and 20 < old < 40


def test_records_without_their_source_lower_authenticity_which_stays_below_sixty(tmp_path):
    records = [faults.record(n) for n in range(200)]
    good = measured(tmp_path, "\n".join(json.dumps(item, ensure_ascii=False) for item in records), "a.jsonl")["0205"].score
    for item in records[:100]:
        item["source_details"] = ""
    bad = measured(tmp_path, "\n".join(json.dumps(item, ensure_ascii=False) for item in records), "a.jsonl")["0205"].score

    assert bad < good <= 60


def test_tables_of_an_archive_are_joined_by_their_ids(tmp_path):
    images = "image_id,path\n" + "".join(f"{n},{n}.jpg\n" for n in range(200))
    labels = "image_id,label\n" + "".join(f"{n},裂缝\n" for n in range(150, 260))

    found = measured(tmp_path, faults.archive({"images.csv": images.encode(), "labels.csv": labels.encode()}), "set.zip")["0206"]

    assert found.score == 0
    assert next(item for item in found.value["checks"] if item["rule"] == "0206.joins")["count"] == 60


def test_a_log_is_not_blamed_for_repeating_itself(tmp_path):
    lines = [f"2026-01-01 10:{n // 60:02}:{n % 60:02},INFO,GET /index.html 200 worker-{n % 3} elapsed {n % 7} ms" for n in range(300)]

    seen = measured(tmp_path, "timestamp,level,log\n" + "\n".join(lines), "server.csv")["0208"]

    assert "near" not in seen.value and seen.score > 90


def test_a_hostile_profile_from_elsewhere_breaks_no_measure():
    from quality.engine import is_profile

    draw = random.Random(9)
    junk = [None, "x", -5, 10**30, [], {}, [1], {"a": []}, True, 1.5, [["a"]], {"n": "x", "count": []}]
    names = (
        "content",
        "media",
        "records",
        "word_hits",
        "parts",
        "joins",
        "near_copies",
        "members",
        "member_count",
        "broken_members",
        "read_on",
        "statistic_rows",
    )
    inner = (
        "texts",
        "near_duplicates",
        "conflicts",
        "variants",
        "geometry",
        "baseline",
        "label_hint",
        "null_labels",
        "sector_words",
        "sketch",
        "label_column",
    )
    for _ in range(400):
        profile = {
            "readable": True,
            "rows": 5,
            "columns": [{"name": "a", "filled": 5, "missing": 0, "shares": draw.choice(junk), "labels": True}],
            "findings": [],
        }
        profile |= {name: draw.choice(junk) for name in names if draw.random() < 0.6}
        if draw.random() < 0.7:
            profile["content"] = {name: draw.choice(junk) for name in inner}
        if is_profile(profile):
            measure_all(Snapshot({"sectors": draw.choice(junk), "documentation": {"label_statistics": draw.choice(junk)}}, (profile,)))
