"""Page 2 and its parts: addresses, drawers, marks, suggestions, the REST listing, the command."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Resource, Sample
from catalog.search import index_datasets
from catalog.search.highlight import highlight, passage
from catalog.search.listing import QueryInvalid, parse_query, rows, search_rows
from catalog.search.query import FACETS
from tests.factories import make_dataset, make_organization
from tests.processes import environment, manage, migrated

pytestmark = pytest.mark.django_db


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def page(client, address=""):
    response = client.get(f"/datasets/{address}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_marks_the_match_and_tells_the_number(client):
    listed(title="高速公路路面病害圖像")
    listed(title="海洋水温", summary="")

    html = page(client, "?q=图像")

    assert "高速公路路面病害<mark>圖像</mark>" in html
    assert '<p class="found__count" role="status"><b>1</b> 个数据集</p>' in html
    assert "海洋水温" not in html


def test_nothing_of_a_listing_or_a_query_becomes_markup(client):
    listed(title="<script>alert(1)</script>路面", summary="<img src=x onerror=alert(2)>", keywords=["<b>词</b>"])

    html = page(client, "?q=%3Cscript%3Ealert(1)&sector=%22%3E%3Cimg%20src%3Dy%3E&sort=%3Csvg%3E")

    assert "<script>alert" not in html and "<img" not in html and "<svg>" not in html
    assert "<script>alert" not in page(client, "?q=路面")


def test_an_address_keeps_every_choice_and_a_chip_takes_one_back(client):
    listed(title="甲", sectors=["transport", "finance"], grade="A")

    html = page(client, "?q=甲&sector=transport&sector=finance&grade=A&sort=size")

    assert 'href="/datasets/?q=%E7%94%B2&amp;sector=finance&amp;grade=A&amp;sort=size"' in html
    assert 'href="/datasets/?q=%E7%94%B2&amp;sort=size">全部清除' in html
    assert '<option value="size" selected>' in html
    assert "已选 2 项" in html


def test_what_was_not_filled_in_is_named_and_can_be_chosen(client):
    listed(title="没有领域", sectors=[])
    listed(title="有领域", sectors=["transport"])

    assert "未填" in page(client)
    assert "没有领域" in page(client, "?sector=none") and "有领域</a>" not in page(client, "?sector=none").replace("没有领域", "")


def test_five_drawers_stand_open(client):
    dataset = make_dataset(status="listed", grade="A", byte_size=10**9, modified="2026-01-01", knowledge_tier="general")
    Sample.objects.create(dataset=dataset, name="s", state="ready")
    dataset.refresh_from_db()
    index_datasets([dataset])

    html = page(client)

    assert html.count('<details class="facet" open>') == 5
    assert html.count('<details class="facet"') > 8


def test_nothing_found_offers_what_is_near_and_a_way_back(client):
    listed(title="湖泊水质监测")

    html = page(client, "?q=湖泊水质卫星反演&grade=A")

    assert "没有找到“湖泊水质卫星反演”" in html and "最接近的数据集" in html and "湖泊水质监测" in html
    assert "清除全部筛选" in html


@pytest.mark.parametrize(
    "address",
    [
        "?page=0",
        "?page=99999",
        "?page=abc",
        "?page=-1",
        "?page=²",
        "?sort=best",
        "?q=" + "%E6%B0%B4" * 10_000,
        "?q=%00",
        "?q=%ff%fe",
        "?q=%ED%A0%80",
        "?sector=%00",
        "?updated=never&size=x&has_sample=maybe",
        "?" + "&".join(f"keyword=k{at}" for at in range(60)),
        "?region=" + "1" * 5000,
    ],
)
def test_a_strange_address_still_gets_a_page(client, address):
    listed(title="路面")

    page(client, address)


def test_a_page_costs_the_same_queries_whatever_it_shows(client):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page(client, "?q=路面&grade=A&grade=none")
        return len(queries)

    listed(title="路面")
    page(client)
    few = cost()
    for at in range(30):
        dataset = listed(title=f"路面 {at}", organization=make_organization())
        Resource.objects.create(dataset=dataset, name="f", format="CSV")
    page(client)

    assert cost() <= few + 1  # the titles of several matches are read once to be judged
    assert cost() <= 12


def test_suggestions_answer_as_json_and_lead_to_a_search(client):
    listed(title="潮汐观测", keywords=["潮汐预报"])

    items = client.get("/datasets/suggest/?q=潮汐").json()["suggestions"]

    assert {"text": "潮汐观测", "kind": "title", "label": "数据集", "url": "/datasets/?q=%E6%BD%AE%E6%B1%90%E8%A7%82%E6%B5%8B"} in items
    assert client.get("/datasets/suggest/?q=%00%22*").status_code == 200
    assert client.get("/datasets/suggest/").json() == {"suggestions": []}


def test_highlighting_escapes_and_finds_other_forms_of_writing():
    assert highlight("a<b 臺灣&ＡＩ", ["台湾", "ai", "<b"]) == "a<mark>&lt;b</mark> <mark>臺灣</mark>&amp;<mark>ＡＩ</mark>"
    assert highlight("ﬃx", ["f"]) == "<mark>ﬃ</mark>x"
    assert passage("前" * 200 + "目标" + "后" * 200, ["目标"]).startswith("…前")


def test_the_rest_listing_has_the_documented_shape():
    dataset = listed(title="路面病害", source_identifier="r-1", grade="B", modified="2026-10-01", summary="摘要")

    answer = search_rows(parse_query(QueryDict("q=路面&grade=B&page_size=5")))

    assert answer["count"] == 1 and answer["next"] is None and set(answer["facets"]) == set(FACETS)
    assert {"value": "B", "label": "B 良", "count": 1} in answer["facets"]["grade"]
    (row,) = answer["results"]
    wanted = {
        "uid": str(dataset.uid),
        "identifier": dataset.identifier,
        "source_identifier": "r-1",
        "title": "路面病害",
        "summary": "摘要",
        "organization": {"uid": str(dataset.organization.uid), "name": dataset.organization.name},
        "grade": "B",
        "portal": "cn",
        "modified": "2026-10-01",
        "url": dataset.get_absolute_url(),
    }
    assert wanted.items() <= row.items()
    json.dumps(answer)


def test_following_the_cursor_gives_every_row_once():
    made = {str(listed(title=f"路面 {at}").uid) for at in range(7)}
    params, seen = QueryDict("q=路面&page_size=3", mutable=True), []

    for _page in range(10):
        answer = search_rows(parse_query(params))
        seen += [row["uid"] for row in answer["results"]]
        if answer["next"] is None:
            break
        params["cursor"] = answer["next"]

    assert len(seen) == 7 and set(seen) == made


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ("sort=best", "sort"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page_size=²", "page_size"),
        ("page_size=x", "page_size"),
        ("cursor=%%%", "cursor"),
        ("cursor=MTAw", "cursor"),
        ("cursor=é", "cursor"),
        ("&".join(f"keyword={at}" for at in range(51)), "keyword"),
    ],
)
def test_a_wrong_parameter_is_named(params, name):
    with pytest.raises(QueryInvalid) as refused:
        parse_query(QueryDict(params))

    assert refused.value.status == 400 and refused.value.errors[0]["pointer"] == f"/{name}"


def test_a_cursor_of_another_query_is_refused():
    for at in range(3):
        listed(title=f"路面 {at}")
    cursor = search_rows(parse_query(QueryDict("q=路面&page_size=2")))["next"]

    with pytest.raises(QueryInvalid):
        parse_query(QueryDict(f"q=海洋&page_size=2&cursor={cursor}"))


def test_a_value_no_dataset_has_finds_nothing_and_is_no_error():
    listed(title="路面")

    assert search_rows(parse_query(QueryDict("sector=unheard-of")))["count"] == 0


def test_rows_leave_out_what_is_not_public():
    assert rows([make_dataset().pk, 10**9]) == []


def test_the_command_checks_repairs_and_tells_in_json(capsys):
    make_dataset(title="未入索引", status="listed")

    with pytest.raises(SystemExit):
        call_command("search_index", "check", "--json")
    assert len(json.loads(capsys.readouterr().out)["missing"]) == 1
    call_command("search_index", "repair", "--json")
    capsys.readouterr()
    call_command("search_index", "check", "--json")
    assert json.loads(capsys.readouterr().out) == {"missing": [], "stale": [], "ghost": []}
    call_command("search_index", "build", "--json")
    assert json.loads(capsys.readouterr().out) == {"built": 1}
    call_command("search_index", "status", "--json")
    assert json.loads(capsys.readouterr().out)["rows"] == 1


@pytest.mark.processes
def test_the_command_runs_from_the_command_line(tmp_path):
    migrated(tmp_path)

    done = manage("search_index", "status", "--json", env=environment(tmp_path))

    assert done.returncode == 0 and json.loads(done.stdout)["published"] == 0


def test_a_tree_stands_under_its_parents_and_a_choice_below_takes_the_one_above_back(client):
    listed(title="甲", region="330100", industry="65")

    html = page(client, "?region=330000")

    assert "杭州" in html and html.index("浙江") < html.index("杭州")
    assert 'href="/datasets/?region=330100"' in html and "region=330000&amp;region=330100" not in html
    assert '<details class="facet__tree" open>' in html
    assert "甲" in page(client, "?region=330100") and "甲" in page(client, "?industry=I")


def test_a_free_range_narrows_the_page_and_stays_in_its_addresses(client):
    listed(title="小", byte_size=10**6, modified="2026-01-05")
    listed(title="大", byte_size=10**12, modified="2025-01-05")

    html = page(client, "?size_from=1GB&modified_to=2025-12-31&q=大")

    assert "<b>1</b> 个数据集" in html and "不小于 1GB" in html and "到 2025-12-31" in html
    assert 'href="/datasets/?q=%E5%A4%A7&amp;modified_to=2025-12-31"' in html  # the chip without the size
    assert 'value="1GB"' in html


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("size_from=viel", "size_from"),
        ("size_to=-1", "size_to"),
        ("size_from=99999999999PB", "size_from"),
        ("size_from=2GB&size_to=1GB", "size_to"),
        ("modified_from=2026-02-30", "modified_from"),
        ("modified_to=x%00", "modified_to"),
        ("modified_from=2026-01-02&modified_to=2026-01-01", "modified_to"),
        ("size_from=" + "9" * 5000, "size_from"),
    ],
)
def test_a_wrong_range_is_refused_by_name_on_the_page_and_in_the_api(client, address, parameter):
    listed(title="甲")

    page_answer, api_answer = client.get(f"/datasets/?{address}"), client.get(f"/api/v1/datasets/?{address}")

    assert page_answer.status_code == api_answer.status_code == 400
    assert api_answer.json()["errors"][0]["pointer"] == f"/{parameter}"
    html = page_answer.content.decode()
    field = html[html.index(f'name="{parameter}"') :]
    assert 'aria-invalid="true"' in field[: field.index(">")] and "甲" in html


def test_every_value_of_a_facet_is_found_on_a_page_of_its_own(client):
    for at in range(12):
        listed(title=f"题 {at}", keywords=[f"词条{at:02}"], sectors=["transport"])

    html = client.get("/datasets/facets/keyword/?find=词条1&sector=transport").content.decode()

    assert html.count("facet__link") == 2 and "sector=transport&amp;keyword=%E8%AF%8D%E6%9D%A110" in html
    part = client.get("/datasets/facets/keyword/?find=词条11&part=1").content.decode()
    assert part.count("facet__link") == 1 and "<html" not in part
    assert "没有这样的取值" in client.get("/datasets/facets/keyword/?find=%00绝无").content.decode()
    assert client.get("/datasets/facets/nothing/").status_code == 404
