"""What a search asks and what it answers; the same on every engine."""

from dataclasses import dataclass, field

# Facets of the search page (PRODUCT page 2), in their order. Each is also a filter of the page and of the API.
FACETS = (
    "sector",
    "industry",
    "region",
    "modality",
    "model_stage",
    "knowledge_tier",
    "knowledge_node",
    "cognition_layer",
    "grade",
    "format",
    "license_type",
    "openness",
    "portal",
    "updated",
    "size",
    "has_sample",
)
# Filters (and count dimensions of the map) that are not shown as facets.
DIMENSIONS = FACETS + (
    "organization",
    "organization_kind",
    "collection_method",
    "storage_place",
    "update_frequency",
    "language",
    "keyword",
    "is_synthetic",
)
RANGES = {"size": "byte_size", "modified": "modified"}  # free ranges: bytes, and days (date.toordinal); their columns in the index
SORTS = ("relevance", "newest", "updated", "grade", "downloads", "size", "title")
MISSING = "none"  # the value of a facet where nothing was filled in; shown as 未填


@dataclass(frozen=True)
class Visibility:
    """Whose results: the public, a person (published plus own organizations' rows), or a reviewer (every state)."""

    everything: bool = False
    organization_ids: frozenset[int] = frozenset()

    @classmethod
    def of(cls, user) -> "Visibility":
        """A listing page shows what is published to everybody; drafts stay on desks, so every user searches the public set."""
        return cls()


@dataclass(frozen=True)
class SearchQuery:
    """`filters` maps a dimension to accepted values (OR within one, AND between); `offset`/`limit` count rows.

    `ranges` maps a name of RANGES to (from, to), both included, None for an open end. Like words, a range holds for every
    facet; what has no such number is in no range.
    """

    text: str = ""
    filters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    sort: str = "relevance"
    offset: int = 0
    limit: int = 20
    facets: tuple[str, ...] = FACETS
    visibility: Visibility = Visibility()
    exact: bool = False  # only what was typed: no synonyms, no other spelling, all words demanded
    explain: bool = False  # for administrators: where the points of each row on the page come from


EXPANSION_KINDS = ("synonym", "variant", "pinyin", "spelling", "sentence")


@dataclass(frozen=True)
class Expansion:
    """What was looked for beside what was typed: 药店 → 药房, taifeng → 台风. Shown to the user."""

    kind: str  # of EXPANSION_KINDS; `sentence`: only these words of a sentence were looked for
    typed: str
    used: str


@dataclass(frozen=True)
class FacetValue:
    value: str
    label: str
    count: int
    parent: str = ""  # the value above it in a hierarchical dimension


@dataclass
class SearchResult:
    """`ids` are Dataset primary keys in rank order; `facets` count with the other filters applied (disjunctive)."""

    total: int
    ids: list[int]
    facets: dict[str, list[FacetValue]] = field(default_factory=dict)
    terms: list[str] = field(default_factory=list)  # what to highlight
    engine: str = ""
    degraded: bool = False  # answered by the database because the configured engine was down
    expansions: list[Expansion] = field(default_factory=list)
    did_you_mean: str = ""  # the query with its misspelt words put right; "" when nothing is to be put right
    is_relaxed: bool = False  # not all words were demanded, because too little or nothing has them all
    explain: dict[int, dict] = field(default_factory=dict)  # per id of the page, when the query asks: {"score", "parts": {name: points}, …}
