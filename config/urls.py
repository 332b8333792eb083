"""Mounts each app's pages and API."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from config.errors import too_large
from config.metrics import metrics

urlpatterns = [
    path("", include("catalog.urls")),
    path("", include("quality.urls")),
    path("", include("federation.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("accounts/login/", auth.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("accounts/password_change/", auth.PasswordChangeView.as_view(), name="password_change"),
    path("accounts/password_change/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("language/", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("metrics", metrics, name="metrics"),
    path("errors/413", too_large, name="too_large"),
]
