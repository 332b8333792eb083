"""Figures for Prometheus at /metrics, read from the database at the moment of asking, so that every web worker says the same."""

import ipaddress
import secrets

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from catalog.models import Dataset, Job
from federation.metrics import FederationFigures


class PortalFigures:
    def collect(self):
        yield counted("jimu_datasets", "Datasets by status", "status", Dataset.objects.values_list("status").annotate(Count("pk")).order_by())
        yield counted("jimu_jobs", "Background jobs by state", "state", Job.objects.values_list("state").annotate(Count("pk")).order_by())
        yield self.waiting()

    def waiting(self) -> GaugeMetricFamily:
        """Seconds that the oldest due job has waited: the figure to be woken by."""
        now = timezone.now()
        oldest = Job.objects.filter(state="queued", run_after__lte=now).aggregate(oldest=Min("run_after"))["oldest"]
        wait = (now - oldest).total_seconds() if oldest else 0.0
        return GaugeMetricFamily("jimu_job_wait_seconds", "How long the oldest due job has waited", value=wait)


def counted(name: str, text: str, label: str, rows) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in rows:
        family.add_metric([value], count)
    return family


def metrics(request):
    """For this machine itself, or whoever holds PORTAL_METRICS_TOKEN; nobody else learns that it is here."""
    if not allowed(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(PortalFigures())
    registry.register(FederationFigures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def allowed(request) -> bool:
    token, given = settings.PORTAL_METRICS_TOKEN, request.headers.get("Authorization", "")
    if token and secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    if "X-Forwarded-For" in request.headers:  # it came through a proxy, which itself may be local
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
