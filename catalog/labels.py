"""Words for codes: the vocabularies in the reader's language, read once per request."""

import time

from asgiref.local import Local
from django.core.signals import request_finished, request_started

from catalog.formatting import is_english
from catalog.models import Term

SECONDS = 30  # outside requests (commands, workers) a table is read again after this long
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
    pair = terms().get(scheme, {}).get(code)
    return pair[is_english()] if pair else code


def term_labels(scheme: str, codes) -> list[str]:
    return [term_label(scheme, code) for code in codes or []]


def term_choices(scheme: str) -> list[tuple[str, str]]:
    """[(code, label)] of a vocabulary."""
    return [(code, pair[is_english()]) for code, pair in terms().get(scheme, {}).items()]


def region_label(code: str) -> str:
    """The province of a GB/T 2260 code, also of a city's or district's."""
    return term_label("region", code[:2] + "0000") if code else ""
