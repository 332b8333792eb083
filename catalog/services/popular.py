"""Which queries are common. A query is offered to others only when people on several days and in some number typed the same.

Nothing that leads to a person is kept: a visitor is a hash under a key that changes every day, and rows go after KEPT.
Queries that look like a number of somebody's, an address or a link are not written down at all.
"""

import hashlib
import hmac
import logging
import re
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone

from catalog.models import SearchedWords
from catalog.search.backends import get_backend
from catalog.search.query import SearchQuery
from catalog.search.text import fold

logger = logging.getLogger(__name__)
VISITORS, DAYS = 5, 2  # so many visitors on so many days before a query is offered
KEPT = timedelta(days=60)
SHORTEST, LONGEST = 2, 40
PRIVATE = re.compile(r"@|https?:|www\.|\d{5,}|\d[\d\s-]{6,}\d")
WAITING, PAUSE = 30, 20.0  # rows, and seconds, after which what was noted is written
FRESH = 60.0  # seconds for which the list of common queries is kept in the process
_noted: dict[tuple, None] = {}
_lock = threading.Lock()
_state = {"written": 0.0, "read": 0.0, "common": []}


def note(text: str, request) -> None:
    """A query that found something. Written in batches, so that searching does not wait for the database's one writer."""
    words = fold(text)
    if not SHORTEST <= len(words) <= LONGEST or PRIVATE.search(words):
        return
    today = timezone.localdate()
    with _lock:
        _noted[(words, today, _visitor(request, today))] = None
        due = len(_noted) >= WAITING or time.monotonic() - _state["written"] > PAUSE
    if due:
        write()


def _visitor(request, today) -> str:
    told = f"{today}|{request.META.get('REMOTE_ADDR', '')}|{request.META.get('HTTP_USER_AGENT', '')[:200]}|{request.user.pk or ''}"
    return hmac.new(settings.SECRET_KEY.encode(), told.encode(), hashlib.sha256).hexdigest()[:16]


def write() -> None:
    """What was noted, and lost without harm when the database is busy."""
    with _lock:
        rows = [SearchedWords(text=text, day=day, visitor=visitor) for text, day, visitor in _noted]
        _noted.clear()
        _state["written"] = time.monotonic()
    try:
        SearchedWords.objects.bulk_create(rows, ignore_conflicts=True)
    except DatabaseError as error:
        logger.warning("%d searched words were not written (%s)", len(rows), type(error).__name__)


def common(limit: int = 500) -> list[str]:
    """The queries of enough visitors on enough days, most visitors first."""
    if time.monotonic() - _state["read"] > FRESH:
        rows = SearchedWords.objects.filter(day__gte=timezone.localdate() - KEPT).values("text")
        rows = rows.annotate(days=Count("day", distinct=True), visitors=Count("visitor", distinct=True))
        _state["common"] = list(
            rows.filter(days__gte=DAYS, visitors__gte=VISITORS).order_by("-visitors", "text").values_list("text", flat=True)[:limit]
        )
        _state["read"] = time.monotonic()
    return _state["common"]


def suggestions(prefix: str, limit: int = 2) -> list[dict]:
    """Common queries with the text in them that find something now: what was hidden since is suggested by nothing."""
    folded = fold(prefix)
    found = []
    for text in sorted((text for text in common() if folded and folded in text), key=lambda text: not text.startswith(folded))[: limit + 2]:
        if text != folded and get_backend().search(SearchQuery(text=text, limit=0, facets=(), exact=True)).total:
            found.append({"text": text, "kind": "query"})
    return found[:limit]


def forget() -> None:
    """For tests: nothing noted, nothing known."""
    _noted.clear()
    _state.update(written=0.0, read=-FRESH, common=[])


def prune() -> int:
    return SearchedWords.objects.filter(day__lt=timezone.localdate() - KEPT).delete()[0]
