"""Pages of quality, and its part of the API."""

from django.urls import include, path

from quality.api import DatasetQualityView
from quality.views import methods, overview, report, schemes

app_name = "quality"
urlpatterns = [
    path("quality/", methods.method, name="method"),
    path("quality/overview/", overview.overview, name="overview"),
    path("quality/methods/<str:version>/", methods.method, name="method_version"),
    path("quality/methods/<str:version>.json", methods.scheme_json, name="scheme_json"),
    path("quality/schemes/", schemes.listing, name="schemes"),
    path("quality/schemes/<str:version>/", schemes.scheme, name="scheme"),
    path("", include("quality.urls_people")),
    path("datasets/<uuid:uid>/quality/", report.dataset_quality, name="report"),
    path("datasets/<uuid:uid>/quality/compare/", report.compare, name="compare"),
    path("datasets/<uuid:uid>/quality.json", report.dataset_quality_json, name="report_json"),
    path("datasets/<uuid:uid>/quality.ttl", report.dataset_quality_dqv, {"format": "turtle"}, name="report_turtle"),
    path("datasets/<uuid:uid>/quality.jsonld", report.dataset_quality_dqv, {"format": "json-ld"}, name="report_jsonld"),
    path("datasets/<uuid:uid>/quality.csv", report.dataset_quality_csv, name="report_csv"),
    path("datasets/<uuid:uid>/quality.pdf", report.dataset_quality_pdf, name="report_pdf"),
    path("api/v1/datasets/<uuid:uid>/quality/", DatasetQualityView.as_view(), name="api_report"),
]
