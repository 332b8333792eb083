"""Settings of one portal, national or local, read from the environment. Wrong values stop the start (config/env.py)."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.env import env_bool, env_choice, env_int, env_list, env_networks, env_str, env_url, env_urls

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = env_bool("PORTAL_DEBUG")

# --- portal -----------------------------------------------------------------
PORTAL_ROLE = env_choice("PORTAL_ROLE", ("national", "local", "industry"), "national")
PORTAL_ID = env_str("PORTAL_ID", "cn" if PORTAL_ROLE == "national" else "")
PORTAL_ID_FORMS = {"national": r"cn", "local": r"cn-[0-9]{2,6}", "industry": r"ind-[a-z0-9][a-z0-9-]{0,40}"}
if not PORTAL_ID:
    raise ImproperlyConfigured("Set PORTAL_ID: cn-33 for a province (GB/T 2260), ind-healthcare for an industry.")
env_str(
    "PORTAL_ID",
    PORTAL_ID,
    pattern=PORTAL_ID_FORMS[PORTAL_ROLE],
    means=f"an id for PORTAL_ROLE={PORTAL_ROLE} (cn, cn-33, ind-healthcare)",
)
PORTAL_NAME = env_str("PORTAL_NAME", "国家门户" if PORTAL_ROLE == "national" else PORTAL_ID)
PORTAL_SHORT_NAME = env_str("PORTAL_SHORT_NAME", "")  # two to four characters for the origin stamp
PORTAL_BASE_URL = env_url("PORTAL_BASE_URL", "http://127.0.0.1:8000", schemes=("http", "https"))
PORTAL_CONTACT_EMAIL = env_str("PORTAL_CONTACT_EMAIL", "")  # whom harvesters may write to
PORTAL_DATA_DIR = Path(env_str("PORTAL_DATA_DIR", str(BASE_DIR / "var" / "portal"))).expanduser().resolve()
PORTAL_ALLOWED_PRIVATE_NETWORKS = env_networks("PORTAL_ALLOWED_PRIVATE_NETWORKS")
PORTAL_TRUSTED_PROXIES = env_int("PORTAL_TRUSTED_PROXIES", 0, high=5)  # how many proxies add to X-Forwarded-For
PORTAL_UPLOAD_MAX_BYTES = env_int("PORTAL_UPLOAD_MAX_BYTES", 200 * 1024 * 1024, low=1024)
PORTAL_PUBLIC_NOTICE_DAYS = env_int("PORTAL_PUBLIC_NOTICE_DAYS", 0, high=365)
PORTAL_REVIEW_DAYS = env_int("PORTAL_REVIEW_DAYS", 20, low=1, high=365)
PORTAL_EVALUATION_DELAY = env_int("PORTAL_EVALUATION_DELAY", 600, high=86_400)  # seconds a changed dataset waits for further changes
PORTAL_WEB_WORKERS = env_int("PORTAL_WEB_WORKERS", 2, low=1, high=64)
PORTAL_TASK_WORKERS = env_int("PORTAL_TASK_WORKERS", 4, low=1, high=64)
PORTAL_PULL_THREADS = env_int("PORTAL_PULL_THREADS", 8, low=1, high=64)  # peers a task worker reads at a time
PORTAL_UNREACHABLE = env_bool("PORTAL_UNREACHABLE")  # peers cannot open connections to this portal: it pushes its feeds to them
PORTAL_SIGNING_MODULES = env_list("PORTAL_SIGNING_MODULES", "")  # Python modules that register further algorithms (federation/signing.py)
PORTAL_JOB_LEASE_SECONDS = env_int("PORTAL_JOB_LEASE_SECONDS", 30, low=2, high=3600)  # a killed worker's job is taken up after this

PORTAL_METRICS_TOKEN = env_str("PORTAL_METRICS_TOKEN", pattern=r"[!-~]{16,}", means="a token of 16 or more characters without spaces")

# --- security ---------------------------------------------------------------
SECRET_KEY = env_str("PORTAL_SECRET_KEY", "insecure-development-key-only-for-PORTAL_DEBUG=1-and-tests" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set PORTAL_SECRET_KEY to a long random text, or PORTAL_DEBUG=1 to develop.")
if not DEBUG and len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("PORTAL_SECRET_KEY is shorter than 40 characters.")
_base = urlsplit(PORTAL_BASE_URL)
ALLOWED_HOSTS = env_list("PORTAL_ALLOWED_HOSTS", _base.hostname or "") + (["localhost", "127.0.0.1"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
_https = _base.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
# __Host- needs https; several portals on one host differ by port only, which cookies do not tell apart.
_cookie = f"__Host-{PORTAL_ID}" if _https else f"{PORTAL_ID}-{_base.port or 80}"
SESSION_COOKIE_NAME = f"{_cookie}-session"
CSRF_COOKIE_NAME = f"{_cookie}-csrf"
LANGUAGE_COOKIE_NAME = "language"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = _https and env_bool("PORTAL_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_IPWARE_PROXY_COUNT = PORTAL_TRUSTED_PROXIES or None
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- applications -----------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "axes",
    "catalog",
    "quality",
    "federation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.UploadLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.RefuseNulMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_USER_MODEL = "catalog.User"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/desk/"
LOGOUT_REDIRECT_URL = "/"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.context_processors.portal",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # widgets of our own live in templates/components

# --- data -------------------------------------------------------------------
DATABASE_URL = env_url(
    "DATABASE_URL",
    f"sqlite:///{PORTAL_DATA_DIR / 'portal.sqlite3'}",
    schemes=("sqlite", "postgres", "postgresql"),
)
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["CONN_MAX_AGE"] = None
    try:
        Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"The folder of the database {DATABASES['default']['NAME']} cannot be made: {error.strerror}.") from None
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456; PRAGMA cache_size=-16000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env_url("REDIS_URL", schemes=("redis", "rediss", "unix"))
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": PORTAL_ID}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
ELASTICSEARCH_URL = env_urls("ELASTICSEARCH_URL", schemes=("http", "https"))
ELASTICSEARCH_SHARDS = env_int("ELASTICSEARCH_SHARDS", 1, low=1, high=64)
ELASTICSEARCH_REPLICAS = env_int("ELASTICSEARCH_REPLICAS", 1 if len(ELASTICSEARCH_URL) > 1 else 0, high=8)
S3_BUCKET = env_str("PORTAL_S3_BUCKET")
STATIC_URL = "/static/"
STATIC_ROOT = Path(env_str("PORTAL_STATIC_ROOT", str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = PORTAL_DATA_DIR / "files"
_files = (
    {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env_url("PORTAL_S3_ENDPOINT", schemes=("http", "https")) or None,
            "default_acl": "private",
            "querystring_auth": True,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT / "samples"}}
)
STORAGES = {
    "default": _files,
    "samples": _files,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
# Source maps are for debuggers and rarely fetched: compressing them took most of the time of collectstatic.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (
    *("jpg", "jpeg", "png", "gif", "webp", "zip", "gz", "tgz", "bz2", "tbz", "xz", "br", "swf", "flv", "woff", "woff2", "3gp", "3gpp", "asf", "avi"),
    *("m4v", "mov", "mp4", "mpeg", "mpg", "webm", "wmv", "map"),
)

# --- tasks ------------------------------------------------------------------
QUEUE_DIR = PORTAL_DATA_DIR / "queue"
CELERY_BROKER_URL = REDIS_URL or "folder://localhost/"  # config/folder_queue.py
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 3600, "socket_connect_timeout": 2, "socket_timeout": 10}
    if REDIS_URL
    else {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(QUEUE_DIR / "control"),
        "polling_interval": 0.05,
    }
)
CELERY_TASK_DEFAULT_QUEUE = f"jimu-{PORTAL_ID}"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ALWAYS_EAGER = False  # tests/settings.py alone turns it on
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}  # a request does not wait for a broker that is down
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(REDIS_URL)  # on the folder broker its mail would only heap up
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "Asia/Shanghai"

# --- words and time ---------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_I18N = USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- API --------------------------------------------------------------------
RATE = r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["config.api.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "config.api.OrjsonParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.problem_handler",
    "DEFAULT_PAGINATION_CLASS": "config.api.CursorPagination",
    "PAGE_SIZE": 20,
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle", "rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env_str("PORTAL_API_RATE_ANONYMOUS", pattern=RATE, means="a rate such as 60/min") or None,
        "user": env_str("PORTAL_API_RATE_USER", pattern=RATE, means="a rate such as 60/min") or None,
    },
    "NUM_PROXIES": PORTAL_TRUSTED_PROXIES,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "集目 Jimu",
    "DESCRIPTION": "高质量数据集目录与管理服务门户的开放接口。",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "PREPROCESSING_HOOKS": ["config.openapi.only_api"],
    "POSTPROCESSING_HOOKS": ["config.openapi.add_problems"],  # enums stay where they are used: their names would collide
    "COMPONENT_SPLIT_REQUEST": True,
    "AUTHENTICATION_WHITELIST": ["catalog.api.authentication.TokenAuthentication"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "manage.py token create，或在工作台申请。"}}
    },
    "SECURITY": [{"token": []}, {}],
}

# --- logs -------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.LineFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_choice("PORTAL_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")},
    "loggers": {"axes": {"level": "WARNING"}, "elastic_transport": {"level": "ERROR"}, "py.warnings": {"level": "ERROR"}},
}
