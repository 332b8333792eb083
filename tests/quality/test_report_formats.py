"""The report as page, DQV, CSV and PDF, the comparison of runs, overview and the pages of schemes."""

import csv
import io

import pytest
from django.utils import timezone

from catalog import jobs
from catalog.models import Dataset
from catalog.search import backends
from catalog.search.query import SearchQuery
from quality import pdf
from quality.models import EvaluationScheme
from quality.services import evaluation, schemes, triggers
from quality.services.overview import overview
from tests.factories import make_member, make_user
from tests.quality.test_evaluation import give_sample, listed

pytestmark = pytest.mark.django_db
ROWS = "类别,值,说明\n" + "".join(f'{"甲" if n % 3 else "乙"},{n},=HYPERLINK("x")第{n}行\n' for n in range(300))


@pytest.fixture
def graded():
    dataset = listed(sectors=["transport"])
    give_sample(dataset, ROWS)
    jobs.run_due()
    dataset.refresh_from_db()
    return dataset


def test_the_page_has_every_block_and_links_for_those_who_may_edit(client, graded):
    member = make_member(graded.organization)
    stranger = client.get(f"/datasets/{graded.uid}/quality/").content.decode()
    client.force_login(member)
    own = client.get(f"/datasets/{graded.uid}/quality/").content.decode()

    for words in ("怎样提高：做完前 3 项", "不能说明", "列统计", "有效至", "自选样本", "专家与用户", "首次评测"):
        assert words in stranger, words
    assert "/register/" not in stranger.split("怎样提高")[1].split("17 项指标")[0]
    assert f"/register/{graded.uid}/construction/#id_" in own


def test_dqv_parses_in_both_forms_and_says_the_same(client, graded):
    from rdflib import Graph, Namespace
    from rdflib.compare import isomorphic

    DQV = Namespace("http://www.w3.org/ns/dqv#")
    turtle = Graph().parse(data=client.get(f"/datasets/{graded.uid}/quality.ttl").content, format="turtle")
    json_ld = Graph().parse(data=client.get(f"/datasets/{graded.uid}/quality.jsonld").content, format="json-ld")

    assert isomorphic(turtle, json_ld)
    values = [float(value) for value in turtle.objects(None, DQV.value)]
    assert float(evaluation.latest_run(graded).raw_score) in values and len(values) > 12
    for measurement in turtle.subjects(DQV.value, None):
        assert (measurement, DQV.computedOn, None) in turtle and (measurement, DQV.isMeasurementOf, None) in turtle


def test_the_csv_lists_every_check_and_no_cell_computes(client, graded):
    body = client.get(f"/datasets/{graded.uid}/quality.csv").content

    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert {row["indicator"] for row in rows} == {row["code"] for row in client.get(f"/datasets/{graded.uid}/quality.json").json()["indicators"]}
    assert any(row["check"] == "0201.rows" and row["n"] == "300" for row in rows)
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row.values())


@pytest.mark.skipif(bool(pdf.lacking()), reason="WeasyPrint, pango or a Chinese font is missing")
def test_the_pdf_is_drawn_from_the_same_blocks(client, graded):
    answer = client.get(f"/datasets/{graded.uid}/quality.pdf")

    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-") and len(answer.content) > 20_000


def test_without_pango_one_sentence_says_so_and_the_page_goes_on(client, graded, monkeypatch):
    monkeypatch.setattr(pdf, "lacking", lambda: "系统缺少 pango 库，不能生成 PDF。")

    answer = client.get(f"/datasets/{graded.uid}/quality.pdf")
    page = client.get(f"/datasets/{graded.uid}/quality/").content.decode()

    assert answer.status_code == 503 and answer.content.decode() == "系统缺少 pango 库，不能生成 PDF。"
    assert "系统缺少 pango 库" in page and "quality.pdf" not in page


def test_nothing_is_fetched_while_drawing():
    with pytest.raises(ValueError, match="not fetched"):
        pdf.refuse("http://127.0.0.1/secret")


@pytest.mark.parametrize("ending", ["quality.ttl", "quality.csv", "quality.pdf", "quality.jsonld", "quality/compare/"])
def test_formats_of_what_has_no_report_or_is_hidden_are_not_there(client, ending):
    from tests.factories import make_dataset

    assert client.get(f"/datasets/{make_dataset().uid}/{ending}").status_code == 404
    assert client.get(f"/datasets/{make_dataset(status='listed').uid}/{ending}").status_code == 404


def test_important_data_keeps_its_evidence_in_every_format(client, graded):
    Dataset.objects.filter(pk=graded.pk).update(security_level="important")

    for ending in ("quality.ttl", "quality.csv", "quality.pdf"):
        assert client.get(f"/datasets/{graded.uid}/{ending}").status_code == 404


def test_two_runs_are_compared_indicator_by_indicator(client, graded):
    graded.annotation_method, graded.deidentification = "manual", "车牌和人脸全部模糊，漏检率 0.2%，安全部复核。"
    graded.documentation = {"limitations": {"text": "只在晴天采集，夜间和雨雪天气没有覆盖。" * 4}}
    graded.save()
    from catalog.services.publication import announce

    announce([graded])
    jobs.run_due()

    page = client.get(f"/datasets/{graded.uid}/quality/compare/").content.decode()
    row = page.split(">0102<")[1].split("</tr>")[0]
    assert "state--ok" in row and "+40.0" in row
    assert client.get(f"/datasets/{graded.uid}/quality/compare/?a=nonsense&b=%00").status_code == 200


def test_a_grade_that_waits_or_ran_out_is_shown_so(client, graded):
    triggers.ask(graded, "appeal")
    waiting = client.get(f"/datasets/{graded.uid}/quality/").content.decode()
    graded.evaluations.update(expires_at=timezone.now())
    out = client.get(f"/datasets/{graded.uid}/quality/").content.decode()

    assert "待复评" in waiting and "申诉成立" in waiting and "report--old" in waiting
    assert "已过期" in out


def test_the_national_grade_stands_beside_the_portal_s_own(client, graded):
    Dataset.objects.filter(pk=graded.pk).update(grade="A", grade_source="national", graded_at=timezone.now())

    page = client.get(f"/datasets/{graded.uid}/quality/").content.decode()
    value = client.get(f"/datasets/{graded.uid}/quality.json").json()

    assert "国家门户评定" in page and "本门户评定" in page
    assert [row["by"] for row in value["grades"]] == ["national", "own"] and value["grades"][0]["grade"] == "A"


def test_the_overview_counts_what_search_counts(client, graded):
    for sectors in (["transport", "healthcare"], [], ["healthcare"]):
        listed(sectors=sectors)
    jobs.run_due()
    from catalog.search import feeding

    feeding.catch_up()
    value, backend = overview(), backends.get_backend()

    for facet, found in (("grade", {row["facet"]: row["count"] for row in value["grades"] if row["count"]}),
                         ("sector", {row["key"]: row["total"] for row in value["sectors"]}),
                         ("portal", {row["key"]: row["total"] for row in value["portals"]})):  # fmt: skip
        counts = {item.value: item.count for item in backend.counts(SearchQuery(), facet) if facet == "grade" or item.value != "none"}
        assert found == counts, facet
    page = client.get("/quality/overview/").content.decode()
    assert "把这一项改好" in page and value["fixes"][0]["datasets"] == 4
    assert client.get("/quality/overview/?by=%00").status_code == 200


def test_the_overview_costs_few_queries_however_many_datasets(django_assert_max_num_queries):
    for _number in range(12):
        listed()
    jobs.run_due()

    with django_assert_max_num_queries(14):
        overview()


def test_staff_edit_a_copy_and_others_see_none_of_it(client, graded):
    schemes.active_scheme()
    assert client.get("/quality/schemes/").status_code == 302
    client.force_login(make_user(role="reviewer"))
    assert client.get("/quality/schemes/").status_code == 403
    client.force_login(make_user(role="admin"))

    client.post("/quality/schemes/", {"from": "2026.1", "version": "2027.1"})
    wrong = client.post("/quality/schemes/2027.1/", {"do": "save", "w.0.0101": "7", "bands.0.from": "92"})
    assert wrong.status_code == 422 and "权重之和是 101，应为 100。" in wrong.content.decode() and 'value="92"' in wrong.content.decode()
    odd = client.post("/quality/schemes/2027.1/", {"do": "save", "bands.0.from": "<xb>", "w.0.0101": "1e9", "confidence.sample": "²"})
    assert odd.status_code == 422 and "<xb>" not in odd.content.decode()
    client.post("/quality/schemes/2027.1/", {"do": "save", "w.0.0101": "7", "w.0.0102": "6", "bands.0.from": "92", "limits.0204.tolerance": "0.1"})
    client.post("/quality/schemes/2027.1/", {"do": "add", "code": "finance", "name": "金融", "like": "general", "sectors": "finance"})
    client.post("/quality/schemes/2027.1/", {"do": "try"})
    jobs.run_due()

    row = EvaluationScheme.objects.get(version="2027.1")
    assert row.content["bands"][0]["from"] == 92 and row.content["limits"]["0204"]["tolerance"] == "0.1"
    assert row.profiles.get(code="finance").applies_to == {"sectors": ["finance"]}
    assert "个试算" in client.get("/quality/schemes/2027.1/").content.decode()
    client.post("/quality/schemes/2027.1/", {"do": "schedule", "effective_from": "2026-01-01", "reason": "按领域意见调整权重"})
    assert schemes.active_scheme().version == "2027.1"
    assert client.post("/quality/schemes/2027.1/", {"do": "save", "w.0.0101": "6", "w.0.0102": "7"}).status_code == 409
    page = client.get("/quality/methods/2027.1/").content.decode()
    assert "按领域意见调整权重" in page and client.get("/quality/methods/2027.1.json").json()["version"] == "2027.1"
    assert client.get("/quality/methods/none/").status_code == 404
