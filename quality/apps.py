from django.apps import AppConfig
from django.db.models.signals import post_migrate


class QualityConfig(AppConfig):
    name = "quality"
    verbose_name = "质量"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from quality import receivers, tasks  # noqa: F401  they register themselves
        from quality.services import voices  # noqa: F401  so do the providers of opinions

        post_migrate.connect(load_schemes, sender=self)


def load_schemes(**_more):
    """The default scheme stands as soon as the tables do."""
    from django.db import connection

    from quality.services import schemes

    if {"quality_evaluation", "quality_profile"} <= set(connection.introspection.table_names()):  # not while migrating backwards
        schemes.load_schemes()
