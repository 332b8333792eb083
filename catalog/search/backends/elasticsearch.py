"""Elasticsearch: answers from an index of its own, fed from the index rows of the database.

The database's index stays written in the record's transaction. It is the outbox (rows newer than the mark of the Elasticsearch
index wait to be sent), the fallback (while Elasticsearch gives no answer) and what `check` compares with. Writes carry the
version of the index row, so an older one never takes the place of a newer one, whatever order they arrive in.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from catalog.models import Dataset, Organization
from catalog.search import explaining, labels, planning
from catalog.search.backends import elastic_body as body
from catalog.search.backends.base import EngineDown, SearchBackend
from catalog.search.backends.database import FACET_VALUES
from catalog.search.backends.elastic_life import WINDOW, ElasticLife
from catalog.search.expressions import Expression, marked
from catalog.search.hierarchy import is_top, top_level
from catalog.search.planning import Plan
from catalog.search.query import FacetValue, SearchQuery, SearchResult
from catalog.search.ranking import REFINED
from catalog.search.text import TITLE, Piece, fold, pieces


class ElasticsearchBackend(ElasticLife, SearchBackend):
    name = "elasticsearch"

    def index(self, datasets: Sequence[Dataset]) -> None:
        self.database.index(datasets)

    def remove(self, pks: Iterable[int]) -> None:
        self.database.remove(pks)

    def search(self, query: SearchQuery) -> SearchResult:
        try:
            return self._search(query)
        except EngineDown:
            return replace(self.database.search(query), degraded=True)

    def _search(self, query: SearchQuery) -> SearchResult:
        plan = planning.plan_of(query, Probe(self))
        has_text = plan.match is not None
        needs_score = query.sort in ("relevance", "grade")
        asked = {
            "query": body.scored(plan, plan.match) if needs_score else {"bool": {"filter": [body.having(plan.match)]}},
            "post_filter": body.filters(query),
            "sort": body.order(query, has_text),
            "aggs": body.facets(query),
            "track_total_hits": True,
            "_source": False,
        }
        is_refined = has_text and query.sort == "relevance" and query.offset < REFINED and 0 < query.limit <= WINDOW - query.offset
        total, ids, counted = self._page(asked, query, plan, is_refined)
        told = planning.told(plan) | {"explain": self._explained(plan, ids) if query.explain and has_text else {}}
        told["facets"] = {name: self._values(name, body.facet_totals(one, query.filters.get(name, ())), query) for name, one in counted.items()}
        return SearchResult(total=total, ids=ids, engine=self.name, **told)

    def _explained(self, plan: Plan, ids: list[int]) -> dict[int, dict]:
        asked = explaining.conditions(plan)
        named = [{"bool": {"filter": [body.having(expression)], "_name": name}} for name, expression in asked.items()]
        query = {"bool": {"filter": [{"terms": {"pk": ids}}], "should": named}}
        hits = self._ask({"query": query, "size": len(ids), "_source": False, "track_total_hits": False})["hits"]["hits"]
        holds = {name: {int(hit["_id"]) for hit in hits if name in hit.get("matched_queries", ())} for name in asked}
        return explaining.explained(plan, ids, holds)

    def _page(self, asked: dict, query: SearchQuery, plan: Plan, is_refined: bool) -> tuple[int, list[int], dict]:
        start, end = query.offset, query.offset + query.limit
        if is_refined:
            answer = self._ask(asked | {"size": max(end, REFINED), "docvalue_fields": ["title"]})
            hits = [(int(hit["_id"]), hit["_score"] or hit["sort"][0], hit["fields"]["title"][0]) for hit in answer["hits"]["hits"]]
            ids = (body.refined(hits[:REFINED], plan) + [hit[0] for hit in hits[REFINED:]])[start:end]
        elif end <= WINDOW:
            answer = self._ask(asked | {"from": start, "size": query.limit})
            ids = [int(hit["_id"]) for hit in answer["hits"]["hits"]]
        else:
            answer = self._ask(asked | {"size": 0})
            ids = self._far(asked, start, query.limit) if start < answer["hits"]["total"]["value"] else []
        return answer["hits"]["total"]["value"], ids, answer.get("aggregations", {})

    def _far(self, asked: dict, offset: int, limit: int) -> list[int]:
        """Beyond WINDOW: from stretch to stretch, each continued where the one before ended."""
        asked = {name: value for name, value in asked.items() if name != "aggs"} | {"track_total_hits": False}
        ids, skipped = [], 0
        while len(ids) < limit:
            size = min(WINDOW, offset - skipped) or min(WINDOW, limit - len(ids))
            hits = self._ask(asked | {"size": size})["hits"]["hits"]
            if not hits:
                break
            if skipped < offset:
                skipped += len(hits)
            else:
                ids += [int(hit["_id"]) for hit in hits]
            asked["search_after"] = hits[-1]["sort"]
        return ids

    def _values(self, name: str, totals: dict[str, int], query: SearchQuery, limit: int = FACET_VALUES) -> list[FacetValue]:
        selected = query.filters.get(name, ())
        return labels.facet_values(name, totals, selected, limit, _providers({*totals, *selected}) if name == "organization" else {})

    def facet(self, query: SearchQuery, name: str, *, text: str = "", limit: int = FACET_VALUES) -> list[FacetValue]:
        others = replace(query, filters={other: values for other, values in query.filters.items() if other != name})
        try:
            if text and name == "keyword":
                totals = body.bucket_totals(self._aggregated(others, body.values_with(fold(text))))
                totals = {key.partition(body.BEFORE_LABEL)[2]: count for key, count in totals.items()}
            else:
                totals = body.bucket_totals(self._aggregated(others, body.totals_of(name, body.MANY)))
        except EngineDown:
            return self.database.facet(query, name, text=text, limit=limit)
        if not text:
            return self._values(name, totals, query, limit)
        own = _providers(totals) if name == "organization" else {}
        return labels.facet_values(name, labels.named_like(name, totals, text, own), (), limit, own)

    def _aggregated(self, query: SearchQuery, aggregation: dict) -> dict:
        matched = [body.having(planning.plan_of(query, Probe(self)).match), *body.filters(query)["bool"]["filter"]]
        answer = self._ask({"query": {"bool": {"filter": matched}}, "size": 0, "aggs": {"all": aggregation}, "track_total_hits": False})
        return answer["aggregations"]["all"]

    def counts(self, query: SearchQuery, dimension: str) -> list[FacetValue]:
        try:
            totals = body.bucket_totals(self._aggregated(query, body.totals_of(dimension, body.MANY)))
        except EngineDown:
            return self.database.counts(query, dimension)
        return self._values(dimension, top_level(dimension, totals), replace(query, filters={}), limit=body.MANY)

    def crosstab(self, query: SearchQuery, rows: str, columns: str) -> dict[tuple[str, str], int]:
        inner = {"columns": body.totals_of(columns, body.VALUES)}
        try:
            found = body.buckets(self._aggregated(query, body.totals_of(rows, body.VALUES, inner)))
        except EngineDown:
            return self.database.crosstab(query, rows, columns)
        pairs = ((row, column, count) for row, bucket in found for column, count in body.bucket_totals(bucket["columns"]).items())
        return {(row, column): count for row, column, count in pairs if is_top(rows, row) and is_top(columns, column)}

    def volume(self, query: SearchQuery, dimension: str) -> dict[str, int]:
        inner = {"bytes": {"sum": {"field": "volume"}}}
        try:
            found = body.buckets(self._aggregated(query, body.totals_of(dimension, body.MANY, inner)))
        except EngineDown:
            return self.database.volume(query, dimension)
        return top_level(dimension, {value: int(bucket["bytes"]["value"]) for value, bucket in found if bucket["bytes"]["value"]})

    def suggest(self, prefix: str, *, limit: int = 8) -> list[dict]:
        plan = planning.literal(fold(prefix[:100])[:100])
        if plan.match is None:
            return []
        try:
            pks, found = self._titles(plan, limit), self._names(plan)
        except EngineDown:
            return self.database.suggest(prefix, limit=limit)
        titles = dict(Dataset.objects.published_of(pks).values_list("pk", "title"))
        named = [{"text": titles[pk], "kind": "title"} for pk in pks if pk in titles]
        return list({item["text"]: item for item in named[: max(limit - len(found), 3)] + found}.values())[:limit]

    def _titles(self, plan: Plan, limit: int) -> list[int]:
        asked = {"query": body.scored(plan, marked(plan.strict, TITLE)), "sort": body.order(SearchQuery(), True), "_source": False}
        return self._page(asked | {"track_total_hits": True}, SearchQuery(limit=limit), plan, True)[1]

    def _names(self, plan: Plan) -> list[dict]:
        asked = {"query": body.having(plan.match), "size": 0, "track_total_hits": False, "aggs": body.names_with(plan.folded, 3)}
        answers = self._ask(asked)["aggregations"]
        return body.named(answers, "organization", 2) + body.named(answers, "keyword", 3)

    def nearest(self, text: str, *, limit: int = 5) -> list[int]:
        conditions = [piece for piece in pieces(fold(text)) if len(piece.token) > 1][:24]
        if not conditions:
            return []
        try:
            return self._nearest(conditions, limit)
        except EngineDown:
            return self.database.nearest(text, limit=limit)

    def _nearest(self, conditions: list[Piece], limit: int) -> list[int]:
        probe = Probe(self)
        shared = body.rarity([body.having(piece) for piece in conditions], probe.counts(conditions), probe.count())
        if not shared:
            return []
        order = [{"_score": "desc"}, {"worth": "desc"}, {"pk": "desc"}]
        hits = self._ask({"query": {"bool": {"should": shared, "minimum_should_match": 1}}, "sort": order, "size": limit, "_source": False})
        return [int(hit["_id"]) for hit in hits["hits"]["hits"]]


class Probe:
    """Counts for planning.py, of one request each time."""

    def __init__(self, backend: ElasticsearchBackend):
        self.backend, self._total = backend, 0

    def count(self) -> int:
        return self._total

    def counts(self, expressions: Sequence[Expression]) -> list[int]:
        answer = self.backend._ask({"size": 0, "track_total_hits": True, "aggs": {"each": body.each(expressions)}})
        self._total = answer["hits"]["total"]["value"]
        found = answer["aggregations"]["each"]["buckets"]
        return [found[str(at)]["doc_count"] for at in range(len(expressions))]


def _providers(uids: Iterable[str]) -> dict[str, str]:
    """Names as they are now."""
    known = []
    for uid in uids:
        try:
            known.append(uuid.UUID(uid))
        except ValueError:
            continue  # MISSING, or what a stranger put in the address
    return {str(uid): name for uid, name in Organization.objects.filter(uid__in=known).values_list("uid", "name")}
