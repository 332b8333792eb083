"""Questions asked of many demands: the board under its filters, and where demand outruns supply (R27, R110)."""

from django.db.models import Case, Count, F, IntegerField, Q, Value, When
from django.utils.translation import gettext as _

from catalog.cards import card_rows
from catalog.formatting import in_a_row
from catalog.labels import bare, region_label, term_choices, term_label, term_labels
from catalog.models import Dataset, Demand
from catalog.search.backends import get_backend
from catalog.search.query import SearchQuery
from catalog.services.mapping import listing_url

LOOKED_AT = 5000  # public demands that filters by a list of codes look through
RANKS = {"urgent": 3, "high": 2, "normal": 1, "low": 0}
SORTS = ("newest", "priority", "deadline")


def board(*, q="", sector="", modality="", state="", priority="", region="", sort="newest"):
    """Public demands under the filters, as a queryset; `state` may be open, met, closed or any public state."""
    rows = Demand.objects.public().select_related("organization")
    rows = rows.annotate(match_count=Count("matches", distinct=True), response_count=Count("responses", distinct=True))
    if q:
        found = Q(title__icontains=q) | Q(content__icontains=q) | Q(scope__icontains=q) | Q(organization__name__icontains=q)
        rows = rows.filter(found)
    if state in Demand.PUBLIC:
        rows = rows.filter(state=state)
    elif state != "all":
        rows = rows.filter(state__in=Demand.OPEN)
    if priority in Demand.Priority.values:
        rows = rows.filter(priority=priority)
    if region[:2].isdecimal():
        rows = rows.filter(region__startswith=region[:2])
    if sector or modality:
        rows = rows.filter(pk__in=_with_codes(sector, modality))
    rank = Case(*[When(priority=name, then=Value(value)) for name, value in RANKS.items()], default=Value(1), output_field=IntegerField())
    orders = {"priority": (rank.desc(), "-pk"), "deadline": (F("deadline").asc(nulls_last=True), "-pk")}
    return rows.order_by(*orders.get(sort, ("-published_at", "-pk")))


def _with_codes(sector: str, modality: str) -> list[int]:
    rows = Demand.objects.public().order_by("-pk").values_list("pk", "sectors", "modalities")[:LOOKED_AT]
    return [pk for pk, sectors, modalities in rows if (not sector or sector in sectors) and (not modality or modality in modalities)]


def supply_gap() -> list[dict]:
    """Per sector: open demands, those of them without a match, and datasets; where most demands stand without supply first."""
    wanted, unmet = {}, {}
    for sectors, state in Demand.objects.filter(state__in=Demand.OPEN).values_list("sectors", "state")[:LOOKED_AT]:
        for code in sectors:
            wanted[code] = wanted.get(code, 0) + 1
            unmet[code] = unmet.get(code, 0) + (state == Demand.State.PUBLISHED)
    supply = {item.value: item.count for item in get_backend().counts(SearchQuery(), "sector")}
    rows = [
        {
            "code": code,
            "label": label,
            "demands": wanted.get(code, 0),
            "unmet": unmet.get(code, 0),
            "datasets": supply.get(code, 0),
            "datasets_url": listing_url(SearchQuery(), sector=code),
        }
        for code, label in term_choices("sector")
    ]
    return sorted((row for row in rows if row["demands"]), key=lambda row: (-row["unmet"], -row["demands"] / (row["datasets"] + 1), row["label"]))


def reason_text(reason: dict) -> str:
    """A reason of a match in the reader's language."""
    kind, values = reason.get("kind"), reason.get("values") or []
    if kind in ("sector", "modality"):
        label = _("同领域") if kind == "sector" else _("同模态")
        return f"{label}{_('：')}{in_a_row(bare(word) for word in term_labels(kind, values))}"
    if kind == "keyword":
        return f"{_('关键词')}{_('：')}{in_a_row(values)}"
    if kind == "region":
        return f"{_('同地区')}{_('：')}{in_a_row(map(region_label, values))}"
    if kind == "grade":
        return _("质量等级 %(grade)s") % {"grade": "".join(values)}
    return {"near": _("内容相近"), "scale": _("规模足够")}.get(kind, term_label("", str(kind)))


def matches_of(demand: Demand) -> list[dict]:
    """[{"row": card row, "score", "reasons"}] of matches that are public now."""
    found = {match.dataset_id: match for match in demand.matches.all()}
    public = set(Dataset.objects.filter(pk__in=found).published().values_list("pk", flat=True))
    kept = [pk for pk in found if pk in public]
    return [
        {"row": row, "score": found[row["pk"]].score, "reasons": [reason_text(item) for item in found[row["pk"]].reasons]} for row in card_rows(kept)
    ]
