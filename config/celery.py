"""Celery app. Tasks only wake the work that Job rows hold (catalog/jobs.py); the schedule lists what comes due by time."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("jimu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

if app.conf.broker_url == "filesystem://":
    settings.QUEUE_DIR.mkdir(parents=True, exist_ok=True)
    (settings.QUEUE_DIR / "control").mkdir(exist_ok=True)

app.conf.beat_schedule = {
    "sweep-jobs": {"task": "catalog.tasks.sweep_jobs", "schedule": 5.0},
}
