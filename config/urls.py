"""Mounts each app's pages and API."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from config.errors import too_large
from config.metrics import metrics

urlpatterns = [
    path("", include("catalog.urls")),
    path("", include("quality.urls")),
    path("", include("federation.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("accounts/", include("django.contrib.auth.urls")),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("errors/413", too_large, name="too_large"),
]
