"""What a query finds beside its own letters, on every engine: other words, pinyin, slips, sentences; and what it must not find."""

import csv

import pytest
from django.db import connection

from catalog.models import SynonymGroup
from catalog.search import index_datasets, planning
from catalog.search.backends import database_backend, get_backend
from catalog.search.query import SearchQuery
from catalog.services import synonyms
from tests.contracts.test_search_backend import catalogue, engine, facet, found, listed  # noqa: F401 two are fixtures
from tests.shared import shared

pytestmark = pytest.mark.django_db


def bare(title, **fields):
    """Listed under this title, without the words that make_dataset gives."""
    return listed(**{"title": title, "summary": "", "keywords": [], "rights_holder": ""} | fields)


def search(text, **options):
    return get_backend().search(SearchQuery(text=text, limit=100, **options))


def told(result):
    return {(item.kind, item.typed, item.used) for item in result.expansions}


def group(*words, relation="same", **fields):
    made = SynonymGroup(code=f"test:{words[0]}:{relation}", relation=relation, words=list(words), **fields)
    synonyms.save_group(made, user=None)
    return made


def test_an_edited_synonym_acts_on_the_next_query():
    crane = bare("龙门吊运行记录")
    assert found("桁车") == set()

    made = group("桁车", "龙门吊")
    result = search("桁车")

    assert result.ids == [crane.pk] and result.total == 1
    assert told(result) == {("synonym", "桁车", "龙门吊")} and not result.is_relaxed and result.did_you_mean == ""
    assert "龙门吊" in result.terms
    made.is_active = False
    synonyms.save_group(made, user=None)
    assert found("桁车") == set()


def test_exactly_what_was_typed_is_found_when_that_is_asked():
    group("桁车", "龙门吊")
    typed, _other = bare("桁车巡检"), bare("龙门吊巡检")

    result = search("桁车 巡检", exact=True)

    assert result.ids == [typed.pk] and not result.expansions and not result.is_relaxed
    assert search("shuiku", exact=True).total == 0
    assert get_backend().counts(SearchQuery(text="桁车", exact=True), "openness")[0].count == 1


def test_a_narrower_word_is_found_by_the_wider_one_and_not_the_other_way():
    group("起重设备甲", "龙门吊甲", relation="narrower")
    wide, narrow = bare("起重设备甲台账"), bare("龙门吊甲台账")

    assert found("起重设备甲") == {wide.pk, narrow.pk} and found("龙门吊甲") == {narrow.pk}


@pytest.mark.parametrize(("query", "title"), [("软件", "軟體採購清冊"), ("軟體", "软件采购"), ("打印机", "印表機數量"), ("网络", "網路流量")])
def test_mainland_and_taiwan_words_are_one(query, title):
    dataset = bare(title)

    result = search(query)

    assert result.ids == [dataset.pk] and {item.kind for item in result.expansions} >= {"variant"}


@pytest.mark.parametrize("query", ["shuiku", "SHUIKU", "shuikushuizhi", "skszjc"])
def test_pinyin_finds_what_it_sounds_like(query):
    dataset = bare("水库水质监测")
    bare("铁路客运")

    result = search(query)

    assert result.ids == [dataset.pk] and {item.kind for item in result.expansions} >= {"pinyin"} and result.did_you_mean


@pytest.mark.parametrize(
    ("query", "title", "meant"),
    [
        ("trafic", "Traffic volume", "traffic"),
        ("tarffic", "Traffic volume", "traffic"),
        ("水酷水质", "水库水质监测", "水库水质"),
        ("停车厂", "停车场名册", "停车场"),
    ],
)
def test_a_slip_is_put_right_where_nothing_was_found(query, title, meant):
    dataset = bare(title)
    bare("铁路客运")

    result = search(query)

    assert result.ids == [dataset.pk] and result.did_you_mean == meant


def test_words_that_are_there_are_not_put_right():
    typed = bare("trafic")
    bare("Traffic volume")

    result = search("trafic")

    assert result.ids == [typed.pk] and result.did_you_mean == "" and result.expansions == []


@pytest.mark.parametrize(("query", "title"), [("policies", "Policy papers"), ("accidents", "accident"), ("accident", "Accidents")])
def test_english_words_are_stemmed_lightly(query, title):
    assert bare(title).pk in found(query)


def test_a_sentence_is_weighed_by_its_words():
    best, also = bare("台北市路外停车场剩余车位"), bare("台北市路外停车场")
    for at in range(30):
        bare(f"台北市图书借阅 {at}")

    result = search("我想找台北市的路外停车场和剩余车位")

    assert result.ids == [best.pk, also.pk] and result.total == 2
    assert result.is_relaxed and "sentence" in {item.kind for item in result.expansions}


@pytest.mark.parametrize("query", ["大熊猫 繁育", "比特币交易记录", "qwxzqwxz", "火星 土壤 样本"])
def test_nothing_is_found_for_what_is_not_there(query):
    for title in ("种猪繁育场名册", "股票交易行情", "会议记录", "土壤有机质"):
        bare(title)

    result = search(query)

    assert (result.total, result.ids, result.expansions, result.did_you_mean) == (0, [], [], "")


def test_full_matches_come_first_then_other_words_then_part_of_the_words():
    group("桁车", "龙门吊")
    part = bare("桁车采购", grade="A")
    other = bare("龙门吊巡检", grade="A")
    full = bare("厂区内外桁车巡检与其他设备情况汇总表", grade="D")
    exact = bare("桁车巡检", grade="D")

    assert search("桁车巡检").ids == [exact.pk, full.pk, other.pk, part.pk]


def test_totals_facets_and_pages_agree_for_expanded_and_relaxed_queries():
    group("桁车", "龙门吊")
    grades = "ABCD"
    for at in range(24):
        bare(f"{'桁车' if at % 2 else '龙门吊'}{'巡检' if at % 3 else '检修'} {at}", grade=grades[at % 4])
    for text in ("桁车", "桁车 检修", "巡检", "查一查桁车的检修记录有哪些"):
        everything = search(text)
        assert everything.total == len(everything.ids) == sum(item.count for item in everything.facets["grade"])
        assert {item.value: item.count for item in get_backend().counts(SearchQuery(text=text), "grade")} == {
            value: count for value, count in facet(everything, "grade").items() if count
        }
        pages = [get_backend().search(SearchQuery(text=text, offset=start, limit=5, facets=())).ids for start in range(0, 30, 5)]
        assert [pk for page in pages for pk in page] == everything.ids
        for grade, count in facet(everything, "grade").items():
            assert search(text, filters={"grade": (grade,)}).total == count


def test_words_of_hidden_rows_are_never_proposed():
    hidden = bare("钱塘江涌潮")
    hidden.status = "suspended"
    hidden.save()
    index_datasets([hidden])
    bare("铁路客运")

    for query in ("qiantangjiang", "涌朝", "前塘江涌潮"):
        result = search(query)
        assert (result.total, result.expansions, result.did_you_mean) == (0, [], "")


def test_explain_tells_the_points_of_public_rows_only_and_when_asked():
    group("桁车", "龙门吊")
    rows = [bare("桁车巡检"), bare("龙门吊巡检"), bare("设备", description="桁车巡检")]

    assert search("桁车巡检").explain == {} and search("", explain=True).explain == {}
    result = search("桁车巡检", explain=True)

    assert list(result.explain) and set(result.explain) == {row.pk for row in rows} == set(result.ids)
    points = [result.explain[pk]["score"] for pk in result.ids]
    assert points == sorted(points, reverse=True)
    first, second, third = (result.explain[pk] for pk in result.ids)
    assert first["parts"]["exact_title"] == 100 and second["parts"]["exact_title"] == 0
    assert [word["typed"] for word in second["words"]] == ["桁车", "巡检"] and all(word["in_title"] for word in second["words"])
    assert not any(word["in_title"] for word in third["words"]) and third["parts"]["words"] > 0


def test_both_engines_find_the_same_rows_for_real_queries(catalogue, engine):  # noqa: F811
    """Totals, what was looked for, and nearly the same first page as the database's own engine."""
    database = database_backend(connection.vendor)
    with shared("data", "relevance", "queries.tsv").open(encoding="utf-8") as stream:
        texts = [row["query"] for row in csv.DictReader(stream, delimiter="\t")]
    for text in texts:
        query = SearchQuery(text=text, limit=20, facets=())
        mine, other = get_backend().search(query), database.search(query)
        assert (mine.total, mine.expansions, mine.is_relaxed, mine.did_you_mean) == (
            other.total,
            other.expansions,
            other.is_relaxed,
            other.did_you_mean,
        ), text
        assert len(set(mine.ids) & set(other.ids)) >= 0.8 * len(other.ids), text


def test_planning_a_long_query_stays_small():
    bare("水库")
    plan = planning.plan("水库 " * 3000, _Nothing(), planning.Lexicon(), None)

    assert len(plan.concepts) <= 12 and len(repr(plan.match)) < 20_000


class _Nothing:
    def count(self):
        return 1

    def counts(self, expressions):
        return [1] * len(expressions)


def test_an_abbreviation_finds_the_words_it_is_made_of():
    dataset = bare("高雄捷运车站出口")
    bare("铁路客运")

    result = search("高捷")

    assert result.ids == [dataset.pk] and any(kind == "synonym" and used.startswith("高雄捷运") for kind, _typed, used in told(result))


def test_a_word_within_a_word_is_found_where_the_whole_is_not():
    crash, _other = bare("道路交通事故"), bare("铁路客运")

    assert search("想知道哪些路口最容易出车祸").ids == [crash.pk]
    assert bare("Electronic invoice").pk in found("e-invoice")


def test_part_of_a_word_is_not_enough_to_let_the_others_go():
    bare("大猫熊馆参观票券")

    assert search("大熊猫 繁育").total == 0


def test_a_title_that_excludes_the_words_comes_after_those_that_are_about_them():
    without = bare("常住人口(不含桁车工人)", grade="A")
    about = bare("某某市某某局某某所桁车工人历年登记管理情况汇总一览", grade="D")

    assert search("桁车工人").ids == [about.pk, without.pk]


def test_a_query_that_finds_nothing_tells_of_no_other_words():
    bare("种猪繁育场名册")

    result = search("大熊猫种群繁育 量子计算机")

    assert (result.total, result.expansions, result.did_you_mean, result.is_relaxed) == (0, [], "", False)
