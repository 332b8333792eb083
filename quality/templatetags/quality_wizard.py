"""The score that moves while a listing is written: meter, points beside a field, advice."""

from django import template

from catalog.forms.steps import place
from quality.engine import live_score
from quality.words import told_row

register = template.Library()
BANDS = (("C", 60), ("B", 75), ("A", 90))
SHOWN = 6
WIDTH = 240  # of the meter's drawing


def score_of(context, document) -> dict:
    """The live score of a document, worked out once per page."""
    kept = context.render_context.get("live_score")
    if kept is None or kept[0] is not document:
        kept = context.render_context["live_score"] = (document, in_words(live_score(document)))
    return kept[1]


def in_words(score: dict) -> dict:
    return score | {part: [told_row(row) for row in score[part]] for part in ("caps", "items", "advice")}


@register.inclusion_tag("quality/wizard_meter.html", takes_context=True)
def live_score_meter(context, document, dataset=None):
    score = score_of(context, document)
    return meter(score, dataset, context.get("step"))


def meter(score, dataset, step=None) -> dict:
    total = float(score["total"] or 0)
    gains = [advised(row) for row in score["advice"]]
    here = sum(float(row["points"]) for row in gains if row["step"] == step)
    return {
        "score": score,
        "total": f"{total:.1f}",
        "width": f"{total / 100 * WIDTH:.2f}",
        "next_x": f"{2 + total / 100 * WIDTH:.2f}",
        "next_width": f"{min(here, 100 - total) / 100 * WIDTH:.2f}",
        "after": f"{min(100, total + here):.1f}",
        "ticks": [(letter, bound, 2 + bound * WIDTH / 100) for letter, bound in BANDS],
        "gains": gains[:SHOWN],
        "dataset": dataset,
    }


def advised(row) -> dict:
    step, anchor = place(row["pointer"])
    points = float(row["points"])
    return row | {"step": step, "anchor": anchor, "points": f"{points:.1f}", "is_cap": points == 0}


@register.inclusion_tag("quality/wizard_points.html", takes_context=True)
def field_points(context, document, pointer):
    """Points the field could still add, or that it has them all; nothing where no item asks for it."""
    items = [item for item in score_of(context, document)["items"] if item["pointer"] == pointer]
    left = sum(float(item["points"]) for item in items)
    return {"items": items, "points": f"{left:.1f}", "is_done": bool(items) and left == 0, "pointer": pointer}


@register.inclusion_tag("quality/wizard_advice.html", takes_context=True)
def score_advice(context, document, dataset=None):
    score = score_of(context, document)
    return {"score": score, "gains": [advised(row) for row in score["advice"]], "dataset": dataset}
