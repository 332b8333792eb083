"""The search seam. One conformance suite (tests/contracts) runs against every implementation."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from catalog.search.query import FacetValue, SearchQuery, SearchResult


class EngineDown(Exception):
    """The search server gave no answer that can be used; the message says why."""


class SearchBackend(ABC):
    """Recall contract: a query of two or more characters finds every visible dataset whose folded text contains it."""

    name = ""

    @abstractmethod
    def index(self, datasets: Sequence) -> None:
        """Write or remove index rows so that they equal these datasets as saved; in the caller's transaction."""

    @abstractmethod
    def remove(self, pks: Iterable[int]) -> None: ...

    @abstractmethod
    def search(self, query: SearchQuery) -> SearchResult:
        """ids of one page, exact total, facet counts."""

    @abstractmethod
    def facet(self, query: SearchQuery, name: str, *, text: str = "", limit: int = 100) -> list[FacetValue]:
        """Values of one dimension under the query without its own choices in it, as `search` counts them; with a text those whose
        name has it, so that every value can be reached however many there are."""

    @abstractmethod
    def counts(self, query: SearchQuery, dimension: str) -> list[FacetValue]:
        """Rows per value of one dimension under the query: the one source of counts for map, home and statistics.

        Of a hierarchical dimension its top level, as in crosstab and volume: the numbers add up.
        """

    @abstractmethod
    def crosstab(self, query: SearchQuery, rows: str, columns: str) -> dict[tuple[str, str], int]:
        """Rows per pair of values, for the industry × modality matrix."""

    @abstractmethod
    def volume(self, query: SearchQuery, dimension: str) -> dict[str, int]:
        """Sum of byte_size per value of a dimension."""

    @abstractmethod
    def suggest(self, prefix: str, *, limit: int = 8) -> list[dict]:
        """[{"text", "kind": title|organization|keyword}] while typing."""

    @abstractmethod
    def nearest(self, text: str, *, limit: int = 5) -> list[int]:
        """Datasets that share the most, and the rarest, pieces with a text that nothing matches wholly."""

    @abstractmethod
    def build(self, *, on_progress=lambda done, total: None) -> int:
        """Write the whole index anew from the database; rows written."""

    @abstractmethod
    def check(self) -> dict:
        """{"missing": [pk], "stale": [pk], "ghost": [pk]} of the index against the database."""

    @abstractmethod
    def repair(self) -> dict:
        """Put right what check() finds, and tell it in the same form."""

    @abstractmethod
    def status(self) -> dict:
        """{"engine", "rows", "published", …} for the command line and the operations page."""

    def is_behind(self) -> bool:
        """Whether committed changes wait to be sent to a server; an index in the database never is."""
        return False

    def feed(self) -> int:
        """Send what waits; rows sent."""
        return 0
