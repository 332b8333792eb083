"""Dataset rows to index documents. Only what is publicly visible becomes a document."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from catalog.models import Dataset, Organization, Resource, Sample
from catalog.search.hierarchy import with_ancestors
from catalog.search.query import DIMENSIONS, MISSING
from catalog.search.text import TITLE, fold, tokens

STORED = tuple(name for name in DIMENSIONS if name != "updated")  # `updated` depends on today
BETWEEN_DIMENSIONS, BETWEEN_VALUES, BEFORE_LABEL = "\x1e", "\x1f", "\x1d"
GRADES = {"A": 4, "B": 3, "C": 2, "D": 1, "": 0}
SIZES = (("lt-1gb", 10**9), ("1gb-100gb", 10**11), ("100gb-1tb", 10**12), ("1tb-100tb", 10**14), ("gte-100tb", None))
OF_IMPORTANT = frozenset("sector region modality grade openness portal has_sample organization organization_kind update_frequency".split())
MAX_SIDE_TEXT = 20_000  # characters of documentation and of column names
VALUE = 80  # characters of a free-text facet value


@dataclass(frozen=True)
class IndexDocument:
    """`row` holds the columns of SearchRow behind text_digest; `tokens` the sorted tokens of everything searchable."""

    pk: int
    title: str
    tokens: str
    text_digest: str
    digest: str
    row: tuple


def documents(datasets: Sequence[Dataset]) -> list[IndexDocument]:
    """Of those that are public; files and organizations are read afresh, three queries a batch."""
    public = [dataset for dataset in datasets if dataset.is_public]
    pks = [dataset.pk for dataset in public]
    resources, samples = defaultdict(list), defaultdict(list)
    for pk, *values in Resource.objects.filter(dataset__in=pks).order_by().values_list("dataset_id", "format", "name", "columns"):
        resources[pk].append(values)
    ready = Sample.objects.filter(dataset__in=pks, state=Sample.State.READY).order_by()
    for pk, profile in ready.values_list("dataset_id", "profile"):
        samples[pk].append(profile)
    organizations = Organization.objects.in_bulk({dataset.organization_id for dataset in public})
    return [document(row, organizations[row.organization_id], resources[row.pk], samples[row.pk]) for row in public]


def document(dataset: Dataset, organization: Organization, resources: list, samples: list) -> IndexDocument:
    title = fold(dataset.title)
    if _is_withheld(dataset):
        resources, samples = [], []
    body = fold("\n".join(_texts(dataset, organization, resources, samples)))
    in_title = tokens(title)
    found = in_title | tokens(body)
    found.update(TITLE + token for token in in_title)
    joined = " ".join(sorted(found))
    text_digest = _digest(joined.encode())
    row = (
        title,
        title_hash(title),
        title.encode("gb18030", "replace")[:32],  # GB 2312 orders its common characters by pinyin
        len(title) + len(body),
        pack(dimensions(dataset, organization, resources, samples)),
        int(dataset.listed_at.astimezone(UTC).timestamp()) if dataset.listed_at else 0,
        _day(dataset.modified),
        -1 if dataset.byte_size is None or _is_withheld(dataset) else dataset.byte_size,
        GRADES.get(dataset.grade, 0),
        static_score(dataset),
    )
    told = repr((text_digest, row[:-1], dataset.documentation_score))  # use alone, a counter, does not make a row stale
    return IndexDocument(dataset.pk, title, joined, text_digest, _digest(told.encode()), row)


def _day(value: date | str | None) -> int:
    return (date.fromisoformat(value) if isinstance(value, str) else value).toordinal() if value else 0


def _digest(value: bytes) -> str:
    return hashlib.blake2b(value, digest_size=16).hexdigest()


def title_hash(folded: str) -> int:
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "ignore"), digest_size=8).digest(), "big", signed=True)


def static_score(dataset: Dataset) -> float:
    """Worth of a listing before any query, 0 to 0.75: grade 0.4, use 0.2, documentation 0.15. Freshness (0.25) is added when asked."""
    use = min(1.0, math.log1p(dataset.download_count) / math.log(1001))
    return round(0.1 * GRADES.get(dataset.grade, 0) + 0.2 * use + 0.15 * min(dataset.documentation_score, 100) / 100, 4)


def _is_withheld(dataset: Dataset) -> bool:
    """Important data show only that they exist and whom to ask (interchange/disclosure.py): search must not tell more."""
    return dataset.security_level != Dataset.SecurityLevel.GENERAL


def _texts(dataset, organization, resources, samples) -> Iterable[str]:
    yield from (dataset.title_en, organization.name, organization.short_name)
    if _is_withheld(dataset):
        return
    yield from (dataset.summary, dataset.description, dataset.case_badge, dataset.rights_holder)
    for values in (dataset.keywords, dataset.tasks, dataset.scenarios, dataset.standards):
        yield from _strings(values)
    yield _capped(_strings(dataset.documentation))
    yield _capped(_column_names(resources, samples))


def _capped(values: Iterable[str]) -> str:
    return "\n".join(values)[:MAX_SIDE_TEXT]


def _column_names(resources, samples):
    for _format, name, columns in resources:
        yield name
        yield from _names(columns)
    for profile in samples:
        yield from _names(profile.get("columns") if isinstance(profile, dict) else None)


def _names(columns) -> Iterable[str]:
    for column in columns if isinstance(columns, list) else ():
        name = column.get("name") if isinstance(column, dict) else column
        if isinstance(name, str):
            yield name


def _strings(value, depth: int = 0) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)) and depth < 8:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item, depth + 1)


def dimensions(dataset, organization, resources, samples) -> dict[str, list[str]]:
    """Values of each stored dimension; an empty list is MISSING."""
    values = {
        "sector": dataset.sectors,
        "region": with_ancestors("region", [dataset.region]),
        "modality": dataset.modalities,
        "model_stage": dataset.model_stages,
        "knowledge_tier": [dataset.knowledge_tier],
        "cognition_layer": [dataset.cognition_layer],
        "grade": [dataset.grade],
        "format": [values[0].strip().upper()[:20] for values in resources],
        "license_type": [dataset.license_type],
        "openness": [dataset.openness],
        "portal": [dataset.home_portal],
        "size": [size_bucket(dataset.byte_size)],
        "has_sample": ["yes" if samples else "no"],
        "organization": [f"{organization.uid}{BEFORE_LABEL}{organization.name}"],
        "organization_kind": [organization.kind],
        "industry": with_ancestors("industry", [dataset.industry]),
        "collection_method": [dataset.collection_method],
        "storage_place": [dataset.storage_place],
        "update_frequency": [dataset.update_frequency],
        "knowledge_node": with_ancestors("knowledge_node", dataset.knowledge_nodes),
        "language": dataset.languages,
        "keyword": dataset.keywords,
        "is_synthetic": ["yes" if dataset.is_synthetic else "no"],
    }
    return values if not _is_withheld(dataset) else {name: known if name in OF_IMPORTANT else [] for name, known in values.items()}


def size_bucket(size: int | None) -> str:
    """Decimal units, as sizes are shown; 0 bytes says as little as nothing."""
    return "" if not size else next(name for name, limit in SIZES if limit is None or size < limit)


def pack(values: dict[str, list]) -> str:
    """One string per row: equal value sets are equal strings, so that loading needs no parsing."""
    return BETWEEN_DIMENSIONS.join(BETWEEN_VALUES.join(_clean(name, values[name])) for name in STORED)


def _clean(name: str, values) -> list[str]:
    if not values or values == [""]:
        return [MISSING]
    limit = 300 if name == "organization" else VALUE
    if len(values) == 1 and isinstance(values[0], str) and len(values[0]) <= limit and values[0].isalnum():
        return values  # most of them: nothing to cut, strip or sort
    texts = (value.strip().replace(BETWEEN_VALUES, " ").replace(BETWEEN_DIMENSIONS, " ")[:limit] for value in values if isinstance(value, str))
    return sorted({text for text in texts if text}) or [MISSING]
