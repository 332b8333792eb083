"""The tags of the registration wizard show the live score of the document as it stands."""

from types import SimpleNamespace
from uuid import uuid4

from django.template import Context, Template


def render(text, document):
    dataset = SimpleNamespace(uid=uuid4())
    return Template("{% load quality_wizard %}" + text).render(Context({"document": document, "dataset": dataset}))


def test_the_meter_grows_with_the_document():
    empty, filled = render("{% live_score_meter document %}", {}), render("{% live_score_meter document %}", {"modalities": ["image"]})

    assert 'score__now">0.0 <' in empty and 'score__now">0.0 <' not in filled


def test_a_field_shows_its_points_until_it_is_filled():
    tag = '{% field_points document "/modalities" %}'

    assert "+4.2" in render(tag, {})
    assert "+" not in render(tag, {"modalities": ["image"]})


def test_the_advice_lists_what_is_missing():
    assert "数据集规模" in render("{% score_advice document dataset %}", {})
