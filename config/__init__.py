"""Project wiring: settings, URLs, Celery, API plumbing. No domain logic."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
