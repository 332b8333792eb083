"""Addresses of exports, feeds and the developers' page; included by catalog/urls.py under its namespace."""

from django.urls import path

from catalog.views import export

urlpatterns = [
    *(
        path(f"datasets/<uuid:uid>.{ending}", export.dataset, {"ending": ending}, name=f"export_{ending.replace('.', '_')}")
        for ending in export.DATASET_FORMATS
    ),
    *(path(filename, export.whole_catalog, {"name": name}, name=f"catalog_{name}") for name, (filename, *_rest) in export.CATALOG_FORMATS.items()),
    path("feed.atom", export.feed, name="feed"),
    path("sitemap.xml", export.sitemap, name="sitemap"),
    path("ns/listing", export.vocabulary, name="vocabulary"),
    path("developers/", export.developers, name="developers"),
]
