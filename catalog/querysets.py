"""Questions asked of many rows. Who may see a dataset is answered here and nowhere else."""

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Concat


class DatasetQuerySet(models.QuerySet):
    def published(self):
        """On offer here: listed by its owner, not taken down, and admitted where it came from another portal."""
        return self.filter(status="listed")._offered()

    def published_of(self, pks):
        """Of these keys those that published() has. The status is compared as an expression: without statistics SQLite takes its index
        for the better one and reads every listed row for a page of 20."""
        return self.filter(pk__in=pks).alias(state=Concat("status", Value(""))).filter(state="listed")._offered()

    def _offered(self):
        own = Q(home_portal=settings.PORTAL_ID)
        return self.exclude(admission="taken_down").filter(own | Q(admission="admitted"))

    def visible_to(self, user, *, as_reviewer=True):
        """Everything for a reviewer; otherwise what is published or in public notice, plus the user's organizations' own.

        `as_reviewer=False` leaves the reviewer's view out: a token without that scope sees what a member sees.
        """
        if as_reviewer and user is not None and user.is_authenticated and (user.is_reviewer or user.is_portal_admin):
            return self
        own = Q(home_portal=settings.PORTAL_ID)
        seen = Q(status="listed") & ~Q(admission="taken_down") & (own | Q(admission="admitted"))
        seen |= Q(status="public_notice") & own
        if user is not None and user.is_authenticated:
            seen |= Q(organization__in=user.organization_ids())
        return self.filter(seen)

    def editable_by(self, user):
        if not user.is_authenticated:
            return self.none()
        own = self.filter(home_portal=settings.PORTAL_ID)
        return own if user.is_portal_admin else own.filter(organization__in=user.organization_ids("owner", "editor"))

    def own(self):
        return self.filter(home_portal=settings.PORTAL_ID)

    def latest_first(self):
        return self.order_by(models.F("listed_at").desc(nulls_last=True), "-id")

    def tombstones(self):
        """Once on offer here, no longer: their page says only that, when and why. What this portal never admitted was never here."""
        gone = Q(status__in=["delisted", "suspended"]) | Q(admission="taken_down")
        was_here = Q(home_portal=settings.PORTAL_ID) | Q(admission__in=["admitted", "taken_down"])
        return self.filter(gone, was_here, listed_at__isnull=False)
