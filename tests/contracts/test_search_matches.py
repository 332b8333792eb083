"""Kept answers of the token index: after any change the same as asked anew."""

import random

import pytest
from django.utils import timezone

from catalog.models import Dataset
from catalog.search import index_datasets
from catalog.search.backends import database_backend
from catalog.search.query import SearchQuery
from tests.factories import make_dataset, make_organization

TEXTS = ("交通", "数据", "traffic", "图像 交通", "水")
WORDS = ("交通", "事故", "图像", "数据", "traffic", "水质", "学校")


def answers(engine) -> dict:
    found = {text: engine.search(SearchQuery(text=text, limit=100)) for text in TEXTS}
    return {text: (result.total, result.ids, result.facets["region"]) for text, result in found.items()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_answers_follow_additions_changes_and_removals(seed):
    from django.db import connection

    chance, engine, organization = random.Random(seed), database_backend(connection.vendor), make_organization()
    asked, match = [], engine._match
    engine._match = lambda expressions, *stretch: asked.append((len(expressions), stretch)) or match(expressions, *stretch)
    for _step in range(6):
        for _new in range(chance.randint(1, 6)):
            row = make_dataset(organization=organization, title=" ".join(chance.sample(WORDS, 2)), status="listed", listed_at=timezone.now())
            index_datasets([row])
        engine.search(SearchQuery(text="数据"))
        row = chance.choice(list(Dataset.objects.all()))
        row.title, row.status = chance.choice(WORDS), chance.choice(["listed", "listed", "suspended"])
        row.save()
        index_datasets([row])

        assert answers(engine) == answers(database_backend(connection.vendor))

    asked.clear()
    answers(engine)
    assert asked == []  # nothing was written since


@pytest.mark.django_db(transaction=True)
def test_after_a_write_only_what_was_written_is_asked():
    from django.db import connection

    engine, organization = database_backend(connection.vendor), make_organization()
    index_datasets([make_dataset(organization=organization, title=f"交通 {at}", status="listed", listed_at=timezone.now()) for at in range(5)])
    assert engine.search(SearchQuery(text="交通")).total == 5
    late = make_dataset(organization=organization, title="交通 迟来", status="listed", listed_at=timezone.now())
    index_datasets([late])
    asked, match = [], engine._match
    engine._match = lambda expressions, *stretch: asked.append(stretch) or match(expressions, *stretch)

    assert engine.search(SearchQuery(text="交通")).total == 6
    assert set(asked) == {(late.pk, late.pk)}
