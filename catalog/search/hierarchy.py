"""Dimensions whose values form a tree: province → city, GB/T 4754 section → division → …, the industry knowledge index.

A row is indexed with the ancestors of its values too: a parent then counts and finds what stands below it, exactly and
on every engine. Numbers that must add up (map, statistics) take the top level only.
"""

import time

from catalog.models import KnowledgeNode, Term

HIERARCHICAL = ("region", "industry", "knowledge_node")
KEPT = 30  # seconds for which the trees are kept in the process
DEEPEST = 12
MUNICIPALITIES = ("11", "12", "31", "50", "71", "81", "82")  # without prefectures of their own
DIVISIONS = (  # GB/T 4754-2017: the last division of each section
    "A05 B12 C43 D46 E50 F52 G60 H62 I65 J69 K70 L72 M75 N79 O82 P83 Q85 R90 S96 T97"
).split()
_held: dict = {"until": 0.0, "parents": {}}


def with_ancestors(name: str, values) -> list[str]:
    """The values in the form in which they are counted, and everything above them; unchanged for a flat dimension."""
    if name not in HIERARCHICAL:
        return values
    path = {"region": _region, "industry": _industry, "knowledge_node": _knowledge}[name]
    return list(dict.fromkeys(step for value in values if isinstance(value, str) and value for step in path(value)))


def parent_of(name: str, value: str) -> str:
    """The value right above; "" at the top, and in a flat dimension."""
    if name not in HIERARCHICAL:
        return ""
    path = with_ancestors(name, [value])
    return path[-2] if len(path) > 1 and path[-1] == value else ""


def is_top(name: str, value: str) -> bool:
    return name not in HIERARCHICAL or not parent_of(name, value)


def top_level(name: str, totals: dict) -> dict:
    """Of {value: number} the values that have none above them: each row stands in as many as it has roots."""
    return totals if name not in HIERARCHICAL else {value: number for value, number in totals.items() if is_top(name, value)}


def related(name: str, value: str, other: str) -> bool:
    """Whether one of the two stands above the other: to choose one of them takes the other back."""
    return value != other and (value in with_ancestors(name, [other]) or other in with_ancestors(name, [value]))


def _region(code: str) -> list[str]:
    """A district counts for its city, a municipality's for the municipality (GB/T 2260)."""
    if not (len(code) >= 2 and code[:2].isdecimal() and code.isascii()):
        return []
    province, city = f"{code[:2]}0000", f"{code[:4]}00"
    has_city = len(code) == 6 and code.isdecimal() and code[2:4] not in ("00", "90") and code[:2] not in MUNICIPALITIES
    return [province, city] if has_city else [province]


def _industry(code: str) -> list[str]:
    """I, 65, 651, 6513 and I65: a letter before digits is the section they belong to anyway."""
    digits = code[1:] if code[:1].isalpha() and code[1:].isdecimal() else code
    if not (digits.isascii() and digits.isdecimal() and 2 <= len(digits) <= 4):
        return _climb("industry", code)
    section = next((last[0] for last in DIVISIONS if digits[:2] <= last[1:]), "")
    steps = [digits[:length] for length in range(2, len(digits) + 1)]
    return [section, *steps] if section and digits[:2] != "00" else [digits]


def _knowledge(code: str) -> list[str]:
    return _climb("knowledge_node", code)


def _climb(name: str, code: str) -> list[str]:
    path = [code]
    while (above := _parents().get((name, path[0]))) and above not in path and len(path) < DEEPEST:
        path.insert(0, above)
    return path


def _parents() -> dict[tuple[str, str], str]:
    if _held["until"] < time.monotonic():
        nodes = KnowledgeNode.objects.filter(parent__isnull=False).order_by().values_list("code", "parent__code")
        terms = Term.objects.filter(scheme="industry", parent__isnull=False).order_by().values_list("code", "parent__code")
        parents = {("knowledge_node", code): above for code, above in nodes} | {("industry", code): above for code, above in terms}
        _held.update(until=time.monotonic() + KEPT, parents=parents)
    return _held["parents"]


def forget() -> None:
    """After the trees were changed in this process."""
    _held["until"] = 0.0
