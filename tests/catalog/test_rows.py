"""Rows written by catalog.rows are the rows that bulk_create writes."""

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from catalog import rows
from catalog.models import Dataset, ImportRecord, Resource
from catalog.models.dataset import Version
from tests.factories import COMPLETE, make_dataset, make_organization

pytestmark = pytest.mark.django_db
RICH = {
    "issued": datetime.date(2024, 3, 18), "score": Decimal("71.20"), "listed_at": timezone.now(), "record_count": 2**40,
    "status": Dataset.Status.LISTED, "documentation": {"intro": {"text": "说明"}}, "lineage": [{"relation": "from", "title": "源"}],
    "keywords": ["甲", "b\"c'"], "title": "标题 %s ? '",
}  # fmt: skip


def made(organization, number, **fields):
    return Dataset(**COMPLETE | {"organization": organization, "home_portal": "cn", "identifier": f"urn:dataset:cn:{number}"} | fields)


def stored(pk):
    return Dataset.objects.filter(pk=pk).values().get()


def test_every_column_is_stored_as_bulk_create_stores_it():
    organization = make_organization()
    one, other = (made(organization, number, **RICH) for number in "ab")

    rows.insert(Dataset, [one])
    Dataset.objects.bulk_create([other])

    left, right = stored(one.pk), stored(other.pk)
    own = ("id", "uid", "identifier", "created_at", "updated_at")
    assert {name: value for name, value in left.items() if name not in own} == {name: value for name, value in right.items() if name not in own}
    assert left["uid"] == one.uid and left["created_at"].tzinfo and left["updated_at"]
    assert Dataset.objects.filter(keywords=["甲", "b\"c'"], documentation__intro__text="说明").count() == 2


def test_keys_follow_on_and_later_rows_do_not_meet_them():
    organization = make_organization()
    before = make_dataset(organization=organization)
    several = [made(organization, number) for number in range(3)]

    rows.insert(Dataset, several)
    after = make_dataset(organization=organization)

    assert [row.pk for row in several] == sorted({row.pk for row in several})
    assert before.pk < several[0].pk and several[-1].pk < after.pk
    assert [Dataset.objects.get(pk=row.pk).identifier for row in several] == [row.identifier for row in several]


def test_a_row_that_meets_another_takes_its_place_in_the_named_columns_only():
    dataset = make_dataset()
    first = ImportRecord(dataset=dataset, source="a", digest="1", fields=["title"], imported_at=timezone.now())
    rows.insert(ImportRecord, [first])

    again = ImportRecord(dataset=dataset, source="a", digest="2", fields=[], imported_at=timezone.now())
    rows.insert(ImportRecord, [again], conflict=["dataset", "source"], update=["digest"])

    kept = ImportRecord.objects.get()
    assert (kept.pk, kept.digest, kept.fields) == (first.pk, "2", ["title"])


def test_overwriting_leaves_other_columns_and_the_time_of_making():
    dataset = make_dataset(title="旧")
    Dataset.objects.filter(pk=dataset.pk).update(view_count=7)
    created = dataset.created_at
    dataset.title, dataset.view_count = "新", 0

    rows.overwrite(Dataset, [dataset], ["title"])

    dataset = Dataset.objects.get(pk=dataset.pk)
    assert (dataset.title, dataset.view_count, dataset.created_at) == ("新", 7, created)


def test_the_rules_of_the_database_hold():
    organization = make_organization()

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(Dataset, [made(organization, "x"), made(organization, "y", title="")])

    assert not Dataset.objects.filter(identifier__endswith=":x").exists()


def test_a_batch_costs_two_statements_however_many_rows(django_assert_num_queries):
    dataset = make_dataset()
    many = [Resource(dataset=dataset, name=f"{number}.csv", position=number) for number in range(120)]

    with django_assert_num_queries(2 if connection.vendor == "sqlite" else 1):
        rows.insert(Resource, many)

    assert list(dataset.resources.values_list("name", flat=True)) == [row.name for row in many]


def test_a_version_is_linked_by_the_key_it_was_given():
    dataset = make_dataset()
    version = Version(dataset=dataset, number=1, change_note="", responsible="x", recorded_at=timezone.now(), document={"title": "甲"}, sha256="0")

    rows.insert(Version, [version])

    assert Version.objects.get(pk=version.pk).document == {"title": "甲"}
