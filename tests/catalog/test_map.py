import csv
import io
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict

from catalog.exceptions import DomainError
from catalog.models import Dataset, Portal
from catalog.search import index_datasets
from catalog.search.backends import get_backend
from catalog.search.query import SearchQuery
from catalog.services import mapping
from catalog.services.totals import catalogue_totals, grade_strip, sector_drawers
from catalog.tiles import TILES, quantile_limits, step_of
from tests.factories import make_dataset, make_organization

pytestmark = pytest.mark.django_db


def listed(**fields):
    dataset = make_dataset(status=Dataset.Status.LISTED, **fields)
    index_datasets([dataset])
    return dataset


@pytest.fixture
def catalogue():
    university = make_organization(kind="university")
    for number in range(4):
        listed(region="330000", sectors=["transport"], modalities=["image", "text"], grade="A" if number else "D", byte_size=10**9)
    listed(region="330100", sectors=["finance"], modalities=["text"], organization=university, byte_size=5 * 10**12)
    listed(region="440000", sectors=["finance"], modalities=["tabular"], grade="B", collection_method="sensor", organization=university)
    listed(region="", sectors=["finance"])
    make_dataset(region="110000")


def count_behind(url):
    """What the dataset list counts under the address of a mark."""
    params = QueryDict(urlsplit(url).query)
    return get_backend().search(mapping.query_from(params)).total


@pytest.mark.parametrize("layer", mapping.LAYERS)
def test_every_mark_opens_a_list_of_exactly_that_many(catalogue, layer):
    data = mapping.resource_map(layer)

    for row in data["regions"]:
        expected = {"volume": row["count"], "grade": row["good"]}.get(layer, row["figure"] or 0)
        assert count_behind(row["url"]) == expected, (layer, row["name"])


def test_the_matrix_counts_what_its_lists_count(catalogue):
    matrix = mapping.sector_matrix()

    cells = [cell for row in matrix["rows"] for cell in row["cells"]]
    assert all(count_behind(cell["url"]) == cell["count"] for cell in cells)
    assert all(count_behind(row["url"]) == row["total"] for row in matrix["rows"])
    assert sum(cell["count"] for cell in cells) == 11


def test_cities_count_for_their_province_and_drafts_do_not(catalogue):
    rows = {row["code"]: row for row in mapping.resource_map()["regions"]}

    assert rows["330000"]["count"] == 5 and rows["330000"]["volume"] == 5 * 10**12 + 4 * 10**9
    assert rows["110000"]["count"] == 0 and rows["110000"]["step"] == 0
    assert rows["330000"]["good"] == 3 and rows["330000"]["good_share"] == 60


def test_datasets_without_a_region_are_told(catalogue):
    data = mapping.resource_map()

    assert data["total"] == 7 and data["unplaced"] == 1


def test_a_query_narrows_map_and_links(catalogue):
    query = mapping.query_from(QueryDict("sector=finance"))

    data = mapping.resource_map("count", query)

    assert data["total"] == 3
    assert parse_qs(urlsplit(data["regions"][0]["url"]).query)["sector"] == ["finance"]


def test_a_category_layer_shows_the_most_frequent_value_or_the_one_asked_for(catalogue):
    shown = mapping.resource_map("ownership")
    asked = mapping.resource_map("ownership", value="university")

    assert shown["value"] == "enterprise"
    assert {row["code"]: row["figure"] for row in asked["regions"] if row["figure"]} == {"330000": 1, "440000": 1}


def test_an_unknown_layer_is_refused_in_words(client):
    response = client.get("/map/?layer=nonsense")

    assert response.status_code == 400 and "nonsense" in response.content.decode()
    with pytest.raises(DomainError):
        mapping.resource_map("nonsense")


def test_all_34_provinces_have_a_place_of_their_own():
    assert len(TILES) == 34 and len({place[1:] for place in TILES.values()}) == 34


@pytest.mark.parametrize(
    "values,limits",
    [([], []), ([5], [5]), ([1, 1, 1, 9], [1, 9]), (list(range(1, 11)), [2, 4, 6, 8, 10]), ([1] * 20 + [2, 3, 4, 9], [1, 2, 3, 4, 9])],
)
def test_quantile_limits(values, limits):
    assert quantile_limits(values) == limits


def test_the_highest_value_is_always_darkest_and_nothing_has_no_step():
    assert step_of(9, [1, 9]) == 5 and step_of(1, [1, 9]) == 4
    assert step_of(0, [1, 9]) == 0 and step_of(None, []) == 0


@pytest.mark.parametrize("table", ["regions", "matrix", "portals"])
def test_tables_come_as_csv_for_spreadsheets(client, catalogue, table):
    Portal.objects.create(id="cn-33", role="local", name="=cmd|calc", short_name="浙江")

    response = client.get(f"/map/?table={table}")

    assert response["Content-Type"].startswith("text/csv") and response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len({len(row) for row in rows}) == 1
    assert not any(cell.startswith("=") for row in rows for cell in row)


def test_the_map_page_links_each_province_and_names_its_numbers(client, catalogue):
    page = client.get("/map/").content.decode()

    assert page.count('class="tile') >= 34
    assert 'href="/datasets/?region=330000"' in page and "浙江" in page


def test_the_map_costs_the_same_however_many_datasets(client, catalogue, django_assert_max_num_queries):
    for _ in range(5):
        listed(region="310000")

    with django_assert_max_num_queries(40):
        client.get("/map/")


def test_home_totals_are_the_searchs(client, catalogue):
    totals = catalogue_totals()

    assert totals["datasets"] == get_backend().search(SearchQuery()).total == 7
    assert totals["bytes"] == 5 * 10**12 + 4 * 10**9
    assert sum(part["count"] for part in grade_strip()["parts"]) == 7
    drawers = {drawer["code"]: drawer for drawer in sector_drawers()}
    assert drawers["transport"]["count"] == 4 == count_behind(drawers["transport"]["url"])
    assert len(drawers) == 20
    assert client.get("/").status_code == 200


def test_pages_of_an_empty_catalogue_answer(client):
    for path in ("/", "/map/", "/map/?layer=grade", "/map/?layer=storage", "/organizations/", "/announcements/"):
        assert client.get(path).status_code == 200, path
