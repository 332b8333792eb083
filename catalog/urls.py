"""Pages of the catalogue."""

from django.urls import include, path

from catalog.views import browse, compare, datasets, demands, map, organizations, results, samples, saved, search, statistics

app_name = "catalog"
urlpatterns = [
    path("", browse.home, name="home"),
    path("datasets/", search.search, name="search"),
    path("datasets/suggest/", search.suggest, name="suggest"),
    path("datasets/compare/", compare.compare, name="compare"),
    path("datasets/results.csv", results.results_csv, name="results_csv"),
    path("datasets/feed.atom", results.results_feed, name="search_feed"),
    path("searches/save/", saved.save, name="save_search"),
    path("searches/<str:token>.atom", results.saved_feed, name="saved_feed"),
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
    path("demands/", demands.demand_list, name="demand_list"),
    path("demands/new/", demands.demand_new, name="demand_new"),
    path("demands/<uuid:uid>/", demands.demand_detail, name="demand_detail"),
    path("demands/<uuid:uid>/edit/", demands.demand_edit, name="demand_edit"),
    path("map/", map.resource_map, name="map"),
    path("statistics/", statistics.page, name="statistics"),
    path("organizations/", organizations.organization_list, name="organization_list"),
    path("organizations/<uuid:uid>/", organizations.organization_detail, name="organization_detail"),
    path("", include("catalog.urls_export")),
    path("", include("catalog.urls_work")),
    path("healthz", browse.health, name="health"),
]
