"""Addresses of exports, feeds and the developers' page; included by catalog/urls.py under its namespace."""

from django.urls import path

from catalog.views import ckan, export

urlpatterns = [
    *(
        path(f"datasets/<uuid:uid>.{ending}", export.dataset, {"ending": ending}, name=f"export_{ending.replace('.', '_')}")
        for ending in export.DATASET_FORMATS
    ),
    *(path(filename, export.whole_catalog, {"name": name}, name=f"catalog_{name}") for name, (filename, *_rest) in export.CATALOG_FORMATS.items()),
    path("feed.atom", export.feed, name="feed"),
    path("oai", export.oai, name="oai"),
    path("api/3/action/<slug:name>", ckan.action, name="ckan_action"),
    path("api/action/<slug:name>", ckan.action),
    path("sitemap.xml", export.sitemap, name="sitemap"),
    path("ns/listing", export.vocabulary, name="vocabulary"),
    path("developers/", export.developers, name="developers"),
]
