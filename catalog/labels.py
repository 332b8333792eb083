"""Words for codes: the vocabularies in the reader's language, read once per request."""

import time

from asgiref.local import Local
from django.core.signals import request_finished, request_started
from django.utils.translation import gettext

from catalog.formatting import is_english
from catalog.models import Term

SECONDS = 30  # outside requests (commands, workers) a table is read again after this long
KEYED = ("documentation_item", "quality_indicator")  # their English column holds keys; their English words are translations
INTERNAL = ("cleanliness_detail", "record_field", "annotation_base")  # told apart by other pages
_state = Local()


def forget(**kwargs) -> None:
    _state.terms = None


request_started.connect(forget)
request_finished.connect(forget)


def terms() -> dict[str, dict[str, tuple[str, str]]]:
    """{scheme: {code: (label, English label)}} in the order of each vocabulary."""
    kept = getattr(_state, "terms", None)
    if kept is None or kept[0] < time.monotonic() - SECONDS:
        table = {}
        rows = Term.objects.exclude(scheme__in=INTERNAL).order_by("scheme", "position", "code")
        for scheme, code, label, english in rows.values_list("scheme", "code", "label", "label_en"):
            table.setdefault(scheme, {})[code] = (label, english or label)
        kept = _state.terms = (time.monotonic(), table)
    return kept[1]


def term_label(scheme: str, code: str) -> str:
    """The label of a code in the current language; the code itself when the vocabulary does not know it."""
    pair = terms().get(scheme, {}).get(code) or (terms().get("city", {}).get(code) if scheme == "region" else None)
    return _shown(scheme, pair) if pair else code


def _shown(scheme: str, pair: tuple[str, str]) -> str:
    return gettext(pair[0]) if scheme in KEYED else pair[is_english()]


def term_labels(scheme: str, codes) -> list[str]:
    return [term_label(scheme, code) for code in codes or []]


def bare(label: str) -> str:
    """A label of a vocabulary whose terms all end in 数据集, without that word."""
    return label.removesuffix("数据集").removesuffix(" dataset")


def term_choices(scheme: str) -> list[tuple[str, str]]:
    """[(code, label)] of a vocabulary."""
    return [(code, _shown(scheme, pair)) for code, pair in terms().get(scheme, {}).items()]


def region_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """[(province, [(code, label) of itself and its prefectures])], for a select with groups."""
    cities = {}
    for code, label in term_choices("city"):
        cities.setdefault(code[:2], []).append((code, label))
    return [(label, [(code, label), *cities.get(code[:2], [])]) for code, label in term_choices("region")]


def portal_label(portal_id: str, name: str) -> str:
    """A portal's name; in English from what its id says (cn, cn-33, ind-healthcare), since portals state Chinese names only."""
    if not is_english():
        return name
    if portal_id == "cn":
        return gettext("国家门户")
    kind, _dash, rest = portal_id.partition("-")
    if kind == "cn" and rest.ljust(6, "0") in terms().get("region", {}):
        return gettext("%(place)s门户") % {"place": term_label("region", rest.ljust(6, "0"))}
    if kind == "ind" and rest in terms().get("sector", {}):
        return gettext("%(sector)s行业门户") % {"sector": term_label("sector", rest)}
    return name


def portal_short(portal_id: str, short_name: str) -> str:
    """What names a portal within a line: 浙江, Zhejiang."""
    if not is_english():
        return short_name
    if portal_id == "cn":
        return gettext("国家")
    rest = portal_id.partition("-")[2]
    known = terms().get("region", {}).get(rest.ljust(6, "0")) or terms().get("sector", {}).get(rest)
    return known[1] if known else short_name


def region_label(code: str) -> str:
    """The province of a GB/T 2260 code, also of a city's or district's."""
    return term_label("region", code[:2] + "0000") if code else ""
