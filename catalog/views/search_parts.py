"""Parts of the search page as plain dicts: drawers of the facet rail, chips, marked rows, the pager."""

from dataclasses import replace

from django.utils.safestring import mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from catalog.cards import card_rows
from catalog.formatting import in_a_row
from catalog.search.addresses import PAGE_SIZE, address, bound_text, pairs, toggled, without_range
from catalog.search.highlight import highlight, passage, spans
from catalog.search.labels import facet_name, value_label
from catalog.search.query import FACETS, MISSING, SearchQuery

LAST_PAGE = 500
OPEN = ("sector", "grade", "region", "modality", "model_stage")  # drawers that stand open
RAIL = (*OPEN, "has_sample", "updated", "size", *(name for name in FACETS if name not in (*OPEN, "has_sample", "updated", "size")))
TRIED = 8  # conditions that are let go of, one at a time, where nothing is found
SHOWN = 6  # values of a drawer before “其余”
RANGE_OF = {"updated": "modified", "size": "size"}  # drawers that take a free range, and its name


def drawers(query: SearchQuery, result, typed: dict, wrong: str = "") -> list[dict]:
    """The facet rail: one drawer per facet; those that hold nothing to choose stay away.

    `typed` are the ends of the ranges as they were typed, `wrong` the parameter that could not be understood.
    """
    return [
        drawer(query, name, result.facets.get(name, []), typed, wrong)
        for name in RAIL
        if any(item.value != MISSING for item in result.facets.get(name, [])) or query.filters.get(name) or wrong.startswith(f"{RANGE_OF.get(name)}_")
    ]


def drawer(query: SearchQuery, name: str, values: list, typed: dict, wrong: str) -> dict:
    chosen, rows = query.filters.get(name, ()), tree(query, name, values)
    shown = len(rows) if len(rows) <= SHOWN + 1 else SHOWN
    rest = rows[shown:]
    span = range_form(query, RANGE_OF[name], typed, wrong) if name in RANGE_OF else None
    return {
        "name": name,
        "label": facet_name(name),
        "is_open": name in OPEN or bool(chosen) or bool(span and (span["is_set"] or span["wrong"])),
        "chosen": len(chosen) + bool(span and span["is_set"]),
        "rows": rows[:shown],
        "rest": rest,
        "rest_open": any(row["is_open"] for row in rest),
        "find_url": address(query, "catalog:facet", args=[name]) if rest else "",
        "kept": pairs(query),
        "range": span,
    }


def tree(query: SearchQuery, name: str, values: list) -> list[dict]:
    """Rows of a facet, those of a hierarchical one under their parents; a row whose parent is not shown stands at the top."""
    top = max((item.count for item in values), default=0) or 1
    chosen, rows = query.filters.get(name, ()), {}
    for item in values:
        rows[item.value] = {
            "label": item.label,
            "count": item.count,
            "url": address(toggled(query, name, item.value)),
            "chosen": item.value in chosen,
            "width": round(100 * item.count / top),
            "children": [],
            "is_open": item.value in chosen,
        }
    for item in values:
        if item.parent in rows:
            rows[item.parent]["children"].append(rows[item.value])
    for item in reversed(values):
        if item.parent in rows and rows[item.value]["is_open"]:
            rows[item.parent]["is_open"] = True
    return [rows[item.value] for item in values if item.parent not in rows]


def range_form(query: SearchQuery, name: str, typed: dict, wrong: str) -> dict:
    """The two inputs of a free range: what they hold, what stays beside them, and which of them is wrong."""
    return {
        "name": name,
        "type": "date" if name == "modified" else "text",
        "from": typed.get(f"{name}_from", ""),
        "to": typed.get(f"{name}_to", ""),
        "wrong": wrong if wrong.startswith(f"{name}_") else "",
        "is_set": name in query.ranges,
        "kept": pairs(without_range(query, name)),
    }


def chips(query: SearchQuery, result) -> list[dict]:
    known = {(name, item.value): item.label for name, values in result.facets.items() for item in values}
    found = [
        {"facet": facet_name(name), "label": chip_label(known, name, value), "url": address(toggled(query, name, value))}
        for name, values in query.filters.items()
        for value in values
    ]
    names = {ranged: name for name, ranged in RANGE_OF.items()}
    return found + [
        {"facet": facet_name(names[name]), "label": range_label(name, *bounds), "url": address(without_range(query, name))}
        for name, bounds in query.ranges.items()
    ]


def chip_label(known: dict, name: str, value: str) -> str:
    return Truncator(known.get((name, value)) or value_label(name, value)).chars(40)


def range_label(name: str, low: int | None, high: int | None) -> str:
    """10GB 至 1TB; 不小于 10GB; 2026-01-01 起."""
    ends = {"low": bound_text(name, low) if low is not None else "", "high": bound_text(name, high) if high is not None else ""}
    if ends["low"] and ends["high"]:
        return _("%(low)s 至 %(high)s") % ends
    if name == "modified":
        return (_("%(low)s 起") if ends["low"] else _("到 %(high)s")) % ends
    return (_("不小于 %(low)s") if ends["low"] else _("不大于 %(high)s")) % ends


def marked_rows(pks: list[int], terms: list[str]) -> list[dict]:
    """Card rows with the match marked; the summary is shown where the title alone does not tell why it was found."""
    rows = card_rows(pks)
    for row in rows:
        row["title_html"] = highlight(row["title"], terms)
        row["passage_html"] = mark_safe("")
        if terms and not spans(row["title"], terms) and spans(row["summary"], terms):
            row["passage_html"] = highlight(passage(row["summary"], terms), terms)
    return rows


def pages(query: SearchQuery, total: int) -> dict:
    last = min(max(1, -(-total // PAGE_SIZE)), LAST_PAGE)
    current = query.offset // PAGE_SIZE + 1
    near = range(1, last + 1) if last <= 8 else sorted({1, *range(max(1, current - 2), min(last, current + 2) + 1)})

    def at(number):
        return address(replace(query, offset=(number - 1) * PAGE_SIZE))

    return {
        "links": [{"number": number, "url": at(number), "current": number == current} for number in near],
        "before": at(current - 1) if current > 1 else "",
        "after": at(current + 1) if current < last else "",
        "is_needed": last > 1,
    }


def query_words(query: SearchQuery) -> list[str]:
    """What is asked, in words: what was typed, then each filter as “地区：浙江”."""
    names = {ranged: name for name, ranged in RANGE_OF.items()}
    found = [f"“{Truncator(query.text).chars(40)}”"] if query.text else []
    found += [f"{facet_name(name)}{_('：')}{in_a_row(chip_label({}, name, value) for value in values)}" for name, values in query.filters.items()]
    return found + [f"{facet_name(names[name])}{_('：')}{range_label(name, *bounds)}" for name, bounds in query.ranges.items()]


def relaxations(query: SearchQuery, count) -> list[dict]:
    """What one could let go of where nothing is found, with the number that would be: most first. `count` tells the total of a query."""
    names = {ranged: name for name, ranged in RANGE_OF.items()}
    tries = [
        (
            f"{facet_name(name)}{_('：')}{in_a_row(chip_label({}, name, value) for value in values)}",
            replace(query, filters=_without(query.filters, name)),
        )
        for name, values in query.filters.items()
    ]
    tries += [
        (f"{facet_name(names[name])}{_('：')}{range_label(name, *bounds)}", without_range(query, name)) for name, bounds in query.ranges.items()
    ]
    if query.text and (query.filters or query.ranges):
        tries.append((f"“{Truncator(query.text).chars(30)}”", replace(query, text="", exact=False)))
    found = [{"label": label, "count": count(looser), "url": address(replace(looser, offset=0))} for label, looser in tries[:TRIED]]
    return sorted((item for item in found if item["count"]), key=lambda item: -item["count"])


def _without(filters: dict, name: str) -> dict:
    return {other: values for other, values in filters.items() if other != name}
