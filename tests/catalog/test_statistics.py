"""The statistics page: its figures are those of the catalogue, and only of what is published."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from catalog.models import AccessRequest, Dataset, DownloadEvent, Sample
from catalog.search import index_datasets
from catalog.services import statistics
from tests.factories import make_dataset, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


def listed(**fields):
    dataset = make_dataset(**{"status": "listed", "listed_at": timezone.now()} | fields)
    index_datasets([dataset])
    return dataset


def table(client, name):
    return list(csv.DictReader(io.StringIO(client.get("/statistics/", {"table": name}).content.decode("utf-8-sig"), newline="")))


def test_distributions_count_what_is_published_and_open_the_same_list(client):
    listed(sectors=["meteorology"], byte_size=5)
    listed(sectors=["meteorology", "emergency"], byte_size=7)
    make_dataset(sectors=["meteorology"], byte_size=1000)

    sector = next(part for part in statistics.breakdowns() if part["name"] == "sector")
    first = sector["rows"][0]

    assert (first["value"], first["count"], first["bytes"], first["share"]) == ("meteorology", 2, 12, 100.0)
    assert client.get(first["url"]).context["total"] == 2
    assert {"dimension": "sector", "value": "emergency", "count": "1"}.items() <= next(
        row for row in table(client, "distribution") if row["value"] == "emergency"
    ).items()


def test_growth_goes_month_by_month_and_ends_with_all_on_offer():
    for days in (1, 40, 800):
        listed(listed_at=NOW - timedelta(days=days))
    sample = Sample.objects.create(dataset=listed(listed_at=NOW), name="a.csv", state="ready")
    event = DownloadEvent.objects.create(sample=sample, consumer="x")
    DownloadEvent.objects.filter(pk=event.pk).update(at=NOW - timedelta(days=40))

    rows = statistics.growth(NOW)

    assert [row["month"] for row in rows][::11] == ["2025-12", "2026-11"] and len(rows) == 12
    assert rows[0]["total"] == 1 and rows[-1]["total"] == 4
    assert (rows[-2]["listed"], rows[-2]["downloads"], rows[-1]["listed"]) == (1, 1, 2)


def test_signs_of_health_have_no_share_where_there_is_nothing_to_judge():
    assert {sign["share"] for sign in statistics.health(NOW)} == {None}


def test_a_promise_is_kept_for_two_periods():
    for days in (10, 61, 63):
        listed(update_frequency="monthly", modified=(NOW - timedelta(days=days)).date())
    listed(update_frequency="irregular")

    promise = next(sign for sign in statistics.health(NOW) if sign["key"] == "promise")

    assert (promise["part"], promise["whole"], promise["share"]) == (2, 3, 66.7)


def test_an_unanswered_request_past_its_limit_counts_as_late():
    dataset, user = listed(), make_user()
    for decided, due in ((NOW - timedelta(days=3), NOW), (None, NOW - timedelta(days=1)), (None, NOW + timedelta(days=1))):
        AccessRequest.objects.create(dataset=dataset, requester=user, purpose="x", due_at=due, decided_at=decided)

    answered = next(sign for sign in statistics.health(NOW) if sign["key"] == "answered")

    assert (answered["part"], answered["whole"]) == (1, 2)


@pytest.mark.parametrize("number", [0, 30])
def test_the_page_costs_the_same_queries_whatever_it_shows(client, number, django_assert_max_num_queries):
    for at in range(number):
        listed(sectors=["meteorology"], region="330000", modalities=["text"], download_count=at)
    client.get("/statistics/")

    with django_assert_max_num_queries(60):
        page = client.get("/statistics/")

    assert page.status_code == 200 and page.context["totals"]["datasets"] == Dataset.objects.count()


def test_an_empty_catalogue_and_an_unknown_table_are_answered(client):
    assert client.get("/statistics/").status_code == 200
    assert client.get("/statistics/?table=\x00x").status_code == 200
