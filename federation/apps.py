from django.apps import AppConfig


class FederationConfig(AppConfig):
    name = "federation"
    verbose_name = "联邦"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from federation import receivers  # noqa: F401
