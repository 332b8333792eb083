"""Pages of quality, and its part of the API."""

from django.urls import path

from quality.api import DatasetQualityView
from quality.views import report

app_name = "quality"
urlpatterns = [
    path("quality/", report.method, name="method"),
    path("datasets/<uuid:uid>/quality/", report.dataset_quality, name="report"),
    path("datasets/<uuid:uid>/quality.json", report.dataset_quality_json, name="report_json"),
    path("api/v1/datasets/<uuid:uid>/quality/", DatasetQualityView.as_view(), name="api_report"),
]
