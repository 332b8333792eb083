"""Figures of the exchange for Prometheus; config/metrics.py serves them. A constant number of queries."""

from collections import Counter
from datetime import timedelta

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from federation.models import Checkpoint, Peer, Quarantine, SyncRun
from federation.services.portal_page import error_type, readings


class FederationFigures:
    def collect(self):
        yield self.peers()
        yield self.lag()
        yield self.behind()
        yield from self.unconfirmed()
        yield self.waiting()
        yield self.runs()

    def peers(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily("jimu_federation_portals", "Portals by condition", labels=["condition"])
        for condition, count in sorted(Counter(peer.condition for peer in Peer.objects.all()).items()):
            family.add_metric([condition], count)
        return family

    def lag(self) -> GaugeMetricFamily:
        """Of the newest run that brought something."""
        newest = SyncRun.objects.filter(peer=OuterRef("pk"), lag_ms__isnull=False).order_by("-id").values("lag_ms")[:1]
        family = GaugeMetricFamily("jimu_federation_lag_seconds", "Commit at the owner to commit here, of the newest page", labels=["portal"])
        for portal, milliseconds in Peer.objects.annotate(lag=Subquery(newest)).exclude(lag=None).values_list("pk", "lag"):
            family.add_metric([portal], milliseconds / 1000)
        return family

    def behind(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily("jimu_federation_behind", "Changes a portal told of and that are not applied here", labels=["portal", "stream"])
        for row in Checkpoint.objects.only("peer_id", "stream", "head", "seq"):
            family.add_metric([row.peer_id, row.stream], row.behind)
        return family

    def unconfirmed(self):
        """Of our own feeds: what a reader has not confirmed, and since when."""
        count = GaugeMetricFamily("jimu_federation_unconfirmed", "Own changes that a reader has not confirmed", labels=["portal", "stream"])
        age = GaugeMetricFamily("jimu_federation_oldest_unapplied_seconds", "Age of the oldest of them", labels=["portal", "stream"])
        now = timezone.now()
        for row in readings(Peer.objects.filter(state=Peer.State.ACTIVE)):
            count.add_metric([row["peer"].pk, row["stream"]], row["waiting"])
            age.add_metric([row["peer"].pk, row["stream"]], (now - row["oldest"]).total_seconds() if row["oldest"] else 0)
        return count, age

    def waiting(self) -> GaugeMetricFamily:
        """Records in quarantine (parked) and deletions held for a person."""
        family = GaugeMetricFamily("jimu_federation_waiting", "Events that wait for a person or a retry", labels=["portal", "state"])
        rows = Quarantine.objects.filter(state__in=["parked", "held"]).values_list("peer_id", "state").annotate(Count("pk")).order_by()
        for portal, state, count in rows:
            family.add_metric([portal, state], count)
        return family

    def runs(self) -> GaugeMetricFamily:
        """Of the last hour, by result: ok or the type of the error."""
        family = GaugeMetricFamily("jimu_federation_runs_last_hour", "Pulls that brought something or failed", labels=["result"])
        errors = SyncRun.objects.filter(started_at__gte=timezone.now() - timedelta(hours=1)).values_list("error", flat=True)
        for result, count in sorted(Counter(error_type(error) or "ok" for error in errors).items()):
            family.add_metric([result], count)
        return family
