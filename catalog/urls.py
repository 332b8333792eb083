"""Pages of the catalogue."""

from django.urls import include, path

from catalog.views import browse, organizations, search

app_name = "catalog"
urlpatterns = [
    path("", browse.home, name="home"),
    path("datasets/", search.search, name="search"),
    path("datasets/suggest/", search.suggest, name="suggest"),
    path("datasets/<uuid:uid>/", browse.dataset_detail, name="dataset_detail"),
    path("organizations/", organizations.organization_list, name="organization_list"),
    path("organizations/<uuid:uid>/", organizations.organization_detail, name="organization_detail"),
    path("", include("catalog.urls_export")),
    path("healthz", browse.health, name="health"),
]
