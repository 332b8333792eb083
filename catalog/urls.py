"""Pages of the catalogue."""

from django.urls import include, path

from catalog.views import browse, datasets, map, organizations, samples, search, statistics

app_name = "catalog"
urlpatterns = [
    path("", browse.home, name="home"),
    path("datasets/", search.search, name="search"),
    path("datasets/suggest/", search.suggest, name="suggest"),
    path("datasets/facets/<slug:name>/", search.facet, name="facet"),
    path("datasets/<uuid:uid>/", datasets.dataset_detail, name="dataset_detail"),
    path("datasets/<uuid:uid>/request/", datasets.request_access, name="request_access"),
    path("datasets/<uuid:uid>/follow/", datasets.follow, name="follow"),
    path("datasets/<uuid:uid>/feedback/", datasets.feedback, name="feedback"),
    path("id/<path:identifier>", datasets.identifier, name="identifier"),
    path("samples/<uuid:uid>/download/", samples.download, name="sample_download"),
    path("samples/<uuid:uid>/file/", samples.resume, name="sample_file"),
    path("announcements/", browse.announcement_list, name="announcement_list"),
    path("announcements/<int:pk>/", browse.announcement, name="announcement"),
    path("map/", map.resource_map, name="map"),
    path("statistics/", statistics.page, name="statistics"),
    path("organizations/", organizations.organization_list, name="organization_list"),
    path("organizations/<uuid:uid>/", organizations.organization_detail, name="organization_detail"),
    path("", include("catalog.urls_export")),
    path("", include("catalog.urls_work")),
    path("healthz", browse.health, name="health"),
]
