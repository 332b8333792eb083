"""Stored findings are told in the reader's language; the stored bytes stay Chinese."""

import pytest
from django.utils.translation import override

from quality.profiling import profile_file
from quality.words import HAN, told

SENTENCES = {
    "有 3 行与前面的行完全相同。": "3 rows are identical to earlier rows.",
    "data.csv 第 7 行": "data.csv line 7",
    "data.csv 列 收缩压": "data.csv column 收缩压",
    "data.csv 列 收缩压，第 9 行": "data.csv column 收缩压, line 9",
    "第 3、5 行": "line 3, 5",
    "超过 5% 的文件读不出。（3 / 40）": "More than 5% of the files cannot be read. (3 / 40)",
    "B 级要求每个维度不低于 60 分：说明文档 55.0、数据质量 41.2": (
        "Grade B needs at least 60 points in every dimension: Documentation 55.0, Data quality 41.2"
    ),
    "A-维度": "A dimension",
    "身份证号码 12 处（9 个不同），候选中 80% 通过校验。": ("Identity card numbers: 12 places (9 different); 80% of the candidates pass the check."),
    "不是合格的 JSON：第 3 行第 5 列（unexpected end）。": "Not valid JSON: line 3, column 5 (unexpected end).",
}


@pytest.mark.parametrize(("stored", "english"), SENTENCES.items())
def test_a_stored_sentence_is_told_in_english(stored, english):
    with override("en"):
        assert told(stored) == english
    with override("zh-hans"):
        assert told(stored) == stored


def test_words_of_a_provider_that_fit_no_pattern_stay_as_they_are():
    with override("en"):
        assert told("高速公路路面病害") == "高速公路路面病害"


def test_every_finding_of_a_bad_table_is_told_in_english(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text('#,name,name,age,note\n1,Ann,x,30,ok\n1,Ann,x,30,ok\n\n2,Bob,NA,x,<br>dirty\n3,,,,\n4,c,d\n5,e,"f,40,g\n', encoding="utf-8-sig")
    findings = profile_file(path)["findings"]
    assert len(findings) > 3
    with override("en"):
        left = [text for item in findings for text in (told(item["message"]), told(item["place"])) if HAN.search(text)]
    assert left == []
