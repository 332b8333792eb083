"""Celery app. Tasks only wake the work that Job rows hold (catalog/jobs.py); the schedule lists what comes due by time."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_ready

import config.folder_queue  # noqa: F401  registers the folder:// broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Nothing here may read a setting while this module is imported: settings import the package it lies in.
app = Celery("jimu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# What nobody fetched before the next of its kind comes is dropped: a worker that was away does not find a heap.
app.conf.beat_schedule = {
    "sweep-jobs": {"task": "catalog.tasks.sweep_jobs", "schedule": 5.0, "options": {"expires": 5}},
    "feed-search": {"task": "catalog.tasks.feed_search", "schedule": 10.0, "options": {"expires": 10}},
    "tell-saved-searches": {"task": "catalog.tasks.tell_saved_searches", "schedule": 300.0, "options": {"expires": 300}},
    "match-demands": {"task": "catalog.tasks.match_demands", "schedule": 300.0, "options": {"expires": 300}},
    "tidy-searches": {"task": "catalog.tasks.tidy_searches", "schedule": crontab(hour="3", minute="31"), "options": {"expires": 3600}},
    "end-public-notices": {"task": "catalog.tasks.end_public_notices", "schedule": 300.0, "options": {"expires": 300}},
    "prune-jobs": {"task": "catalog.tasks.prune_jobs", "schedule": crontab(hour="3", minute="17"), "options": {"expires": 3600}},
    "draw-spot-checks": {"task": "quality.tasks.draw_spot_checks", "schedule": crontab(hour="4", minute="11"), "options": {"expires": 3600}},
    "warn-overdue": {"task": "quality.tasks.warn_overdue", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-expired-grades": {"task": "quality.tasks.sweep_expired", "schedule": 3600.0, "options": {"expires": 3600}},
    "activate-schemes": {"task": "quality.tasks.activate_due_schemes", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep-federation": {"task": "federation.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "reconcile-federation": {"task": "federation.tasks.reconcile_all", "schedule": crontab(hour="2", minute="41"), "options": {"expires": 3600}},
    "retry-federation": {"task": "federation.tasks.retry_parked", "schedule": crontab(hour="3", minute="47"), "options": {"expires": 3600}},
    "publish-reference": {"task": "federation.tasks.publish_reference", "schedule": 900.0, "options": {"expires": 900}},
    "close-usage": {"task": "federation.tasks.close_usage", "schedule": crontab(hour="0", minute="23"), "options": {"expires": 3600}},
    "find-duplicates": {"task": "federation.tasks.find_duplicates", "schedule": 300.0, "options": {"expires": 300}},
    "tidy-federation": {"task": "federation.tasks.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
}


@worker_ready.connect
def sweep_at_start(**kwargs):
    """A worker that starts takes up what the one before left behind, without waiting for the clock."""
    app.send_task("catalog.tasks.sweep_jobs", expires=60)
