"""Searches that people keep by a name: told of new listings by a job, once each, and read as an Atom feed by whoever has its address."""

import secrets
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import jobs
from catalog.exceptions import DomainError, ListingInvalid
from catalog.models import Dataset, Notification, Subscription, User
from catalog.search.addresses import query_string
from catalog.search.backends import get_backend
from catalog.search.listing import parse_query
from catalog.search.query import SearchQuery

KIND = "search.saved"
PER_PERSON = 50
LONGEST = 1500  # characters of a kept query
LOOK_BACK = timedelta(hours=1)  # a listing whose transaction, or index, was late is still new
NEWEST = 50  # rows looked at in one go


def save_search(user: User, query: SearchQuery, *, name: str) -> Subscription:
    """Kept under its name; the same query once per person, by its latest name. ListingInvalid names what is missing or too much."""
    asked, name = query_string(query), " ".join(name.split())[:120]
    if not name:
        raise ListingInvalid([{"pointer": "/name", "code": "required", "message": _("请给这次查找起个名字。")}])
    if len(asked) > LONGEST:
        raise ListingInvalid([{"pointer": "/query", "code": "too_long", "message": _("查找条件太长，不能保存。")}])
    with transaction.atomic():
        kept = searches_of(user).select_for_update()
        if (known := kept.filter(query=asked).first()) is not None:
            known.name = name
            known.save(update_fields=["name"])
            return known
        if kept.count() >= PER_PERSON:
            raise ListingInvalid(
                [{"pointer": "", "code": "too_many", "message": _("最多保存 %(limit)d 个查找，请先删掉几个。") % {"limit": PER_PERSON}}]
            )
        now = timezone.now()
        told = [pk for pk, listed_at in _newest(query) if listed_at > now - LOOK_BACK]
        return Subscription.objects.create(user=user, name=name, query=asked, feed_token=secrets.token_urlsafe(32), told=told, last_seen_at=now)


def searches_of(user: User):
    return Subscription.objects.filter(user=user, dataset=None).order_by("-id")


def query_of(subscription: Subscription) -> SearchQuery | None:
    """None where a value of it is understood no longer."""
    try:
        return parse_query(QueryDict(subscription.query))
    except DomainError:
        return None


def ask() -> bool:
    """From the clock: one job that looks at every kept search, where there is one."""
    if not Subscription.objects.filter(dataset=None, is_notified=True).exists():
        return False
    jobs.enqueue(KIND, key=KIND)
    return True


@jobs.job_handler(KIND)
def tell(job) -> dict:
    pks = list(Subscription.objects.filter(dataset=None, is_notified=True).order_by("pk").values_list("pk", flat=True))
    told = 0
    for done, pk in enumerate(pks):
        told += tell_one(pk)
        jobs.progress(job, done + 1, len(pks))
    return {"searches": len(pks), "told": told}


@transaction.atomic
def tell_one(pk: int) -> int:
    """New listings told of in one notification; what was told of is noted in the same transaction."""
    subscription = Subscription.objects.select_for_update().filter(pk=pk, dataset=None, is_notified=True).first()
    query = query_of(subscription) if subscription else None
    if query is None:
        return 0
    now = timezone.now()
    since = (subscription.last_seen_at or subscription.created_at) - LOOK_BACK
    recent = [(key, listed_at) for key, listed_at in _newest(query) if listed_at > since]
    fresh = [key for key, _listed_at in recent if key not in subscription.told]
    if fresh:
        text = _("“%(name)s”有 %(count)d 个新数据集") % {"name": subscription.name, "count": len(fresh)}
        url = f"{reverse('catalog:search')}?{query_string(replace(query, sort='newest'))}"
        Notification.objects.create(
            user_id=subscription.user_id, kind="search.new", text=text[:500], url=url if len(url) <= 500 else "/desk/searches/"
        )
    subscription.last_seen_at = now
    subscription.told = [key for key, listed_at in recent if listed_at > now - LOOK_BACK]
    subscription.save(update_fields=["last_seen_at", "told"])
    return len(fresh)


def _newest(query: SearchQuery) -> list[tuple[int, object]]:
    """(key, time of listing) of the newest public matches."""
    ids = get_backend().search(replace(query, sort="newest", offset=0, limit=NEWEST, facets=())).ids
    return list(Dataset.objects.filter(pk__in=ids, listed_at__isnull=False).published().values_list("pk", "listed_at"))
