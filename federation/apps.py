from django.apps import AppConfig


class FederationConfig(AppConfig):
    name = "federation"
    verbose_name = "联邦"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from importlib import import_module

        from django.conf import settings

        from federation import receivers  # noqa: F401

        for name in settings.PORTAL_SIGNING_MODULES:
            import_module(name)
