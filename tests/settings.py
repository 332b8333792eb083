"""Settings of the test run: the project's own, with a throw-away data folder and tasks that run at once."""

import os
import tempfile

os.environ.setdefault("PORTAL_DEBUG", "1")
os.environ.setdefault("PORTAL_DATA_DIR", tempfile.mkdtemp(prefix="jimu-test-"))
from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
ALLOWED_HOSTS = ["*"]
AXES_ENABLED = False
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
