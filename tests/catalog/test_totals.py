"""Words on the home page follow the published listings, and are worked out once for each state of the index."""

from django.utils import timezone

from catalog.search import index_datasets
from catalog.services import totals
from tests.factories import make_dataset


def listed(**fields):
    dataset = make_dataset(status="listed", listed_at=timezone.now(), **fields)
    index_datasets([dataset])
    return dataset


def test_keywords_are_kept_until_the_index_changes(db, django_assert_num_queries):
    listed(keywords=["路面", "病害"], sectors=["transport"])
    assert totals.sector_keywords() == {"transport": ["路面", "病害"]}
    assert set(totals.frequent_keywords()) == {"路面", "病害"}
    with django_assert_num_queries(2):  # the state of the index, twice
        totals.sector_keywords(), totals.frequent_keywords()

    gone = listed(keywords=["桥梁"], sectors=["transport"])
    assert "桥梁" in totals.sector_keywords()["transport"] and "桥梁" in totals.frequent_keywords()

    gone.status = "suspended"
    gone.save()
    index_datasets([gone])
    assert "桥梁" not in totals.sector_keywords()["transport"] and "桥梁" not in totals.frequent_keywords()
