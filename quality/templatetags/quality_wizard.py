"""The score that moves while a listing is written: meter, points beside a field, advice. Empty until quality.live can tell."""

from importlib import import_module
from importlib.util import find_spec

from django import template

register = template.Library()
BANDS = (("C", 60), ("B", 75), ("A", 90))


def live(document):
    """What quality.live says of a listing document, asked once per document; None where it says nothing."""
    if find_spec("quality.live") is None:
        return None
    return import_module("quality.live").live_score(document)


@register.inclusion_tag("quality/wizard_meter.html")
def live_score_meter(document, dataset=None):
    return {"score": live(document), "bands": BANDS, "dataset": dataset}


@register.inclusion_tag("quality/wizard_points.html")
def field_points(document, pointer):
    return {"points": None, "pointer": pointer}


@register.inclusion_tag("quality/wizard_advice.html")
def score_advice(document, dataset=None):
    return {"score": live(document), "dataset": dataset}
