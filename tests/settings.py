"""Settings of the test run: the project's own, with a throw-away data folder and tasks that run at once."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("PORTAL_DEBUG", "1")
if "PORTAL_DATA_DIR" not in os.environ:
    os.environ["PORTAL_DATA_DIR"] = tempfile.mkdtemp(prefix="jimu-test-")
    atexit.register(shutil.rmtree, os.environ["PORTAL_DATA_DIR"], ignore_errors=True)
from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
ALLOWED_HOSTS = ["*"]
AXES_ENABLED = False
PORTAL_EVALUATION_DELAY = 0
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
LOGGING = LOGGING | {"handlers": {"console": {"class": "logging.NullHandler"}}}  # noqa: F405  pytest shows a failing test's own lines
ELASTICSEARCH_URL = []  # tests of that engine take it from the environment; the others read at once what they wrote
