"""REST API of the catalogue, mounted at /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from catalog.api.bulk import BulkView
from catalog.api.datasets import DatasetViewSet, SampleViewSet, VersionViewSet
from catalog.api.demands import DemandViewSet
from catalog.api.docs import DocsView, SchemaView
from catalog.api.organizations import OrganizationViewSet
from catalog.api.overview import Map, Statistics, Suggest
from catalog.api.reviews import ReviewViewSet
from catalog.api.vocabularies import VocabularyDetail, VocabularyList

router = SimpleRouter(use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("demands", DemandViewSet, basename="demand")
router.register("organizations", OrganizationViewSet, basename="organization")
router.register("reviews", ReviewViewSet, basename="review")
dataset_parts = [
    path("versions/", VersionViewSet.as_view({"get": "list"}), name="version-list"),
    path("versions/compare/", VersionViewSet.as_view({"get": "compare"}), name="version-compare"),
    path("versions/<int:number>/", VersionViewSet.as_view({"get": "retrieve"}), name="version-detail"),
    path("samples/", SampleViewSet.as_view({"get": "list", "post": "create"}), name="sample-list"),
]

app_name = "api"
urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("datasets/bulk/", BulkView.as_view(), name="dataset-bulk"),
    path("datasets/<uuid:uid>/", include(dataset_parts)),
    path("vocabularies/", VocabularyList.as_view(), name="vocabulary-list"),
    path("vocabularies/<slug:scheme>/", VocabularyDetail.as_view(), name="vocabulary-detail"),
    path("suggest/", Suggest.as_view(), name="suggest"),
    path("map/", Map.as_view(), name="map"),
    path("statistics/", Statistics.as_view(), name="statistics"),
    path("", include(router.urls)),
]
