"""Pages of the catalogue."""

from django.urls import path

from catalog.views import browse

app_name = "catalog"
urlpatterns = [
    path("", browse.home, name="home"),
    path("datasets/", browse.search, name="search"),
    path("datasets/<uuid:uid>/", browse.dataset_detail, name="dataset_detail"),
    path("healthz", browse.health, name="health"),
]
