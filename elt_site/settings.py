"""Django's settings; every variable that is read is listed in .env.example."""

import os
import sys
from typing import Any

from elt_site import environment as env
from subscriptions import __version__

env.refuse_missing_file()
BASE_DIR = env.BASE_DIR

# The ignored working folder: the embedded server's data and dlt's packages.
LOCAL_DIR = (BASE_DIR / env.read("LOCAL_DIR", ".local")).resolve()

# ---------------------------------------------------------------------------- database

LOCAL_DATABASE_URL = env.read("LOCAL_DATABASE_URL")
RAILWAY_DATABASE_URL = env.read("RAILWAY_DATABASE_URL")
# Empty means: the embedded server.
DATABASE_URL = env.read("DATABASE_URL") or LOCAL_DATABASE_URL or RAILWAY_DATABASE_URL
EMBEDDED = not DATABASE_URL

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **(
            {"ENGINE": "elt_site.embedded_postgres"}
            if EMBEDDED
            else env.read_database(DATABASE_URL) | {"ENGINE": "elt_site.postgresql"}
        ),
        # A kept connection saves 2 to 10 ms per request; one older than a minute is replaced
        # at its thread's next request. No start-up options: PgBouncer drops them.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------------------- secrets

RAILWAY_PUBLIC_DOMAIN = env.read("RAILWAY_PUBLIC_DOMAIN")
DEBUG = env.development()

SECRET_KEY = env.read("SECRET_KEY")
ALLOWED_HOSTS = env.read_list("ALLOWED_HOSTS")
BASIC_AUTH_USERNAME = env.read("BASIC_AUTH_USERNAME")
BASIC_AUTH_PASSWORD = env.read("BASIC_AUTH_PASSWORD")

if RAILWAY_PUBLIC_DOMAIN:
    # The platform's health check names itself in the Host header.
    ALLOWED_HOSTS += [RAILWAY_PUBLIC_DOMAIN, "healthcheck.railway.app"]

if DEBUG:
    SECRET_KEY = SECRET_KEY or "django-insecure-local-development-only"
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
    BASIC_AUTH_USERNAME = BASIC_AUTH_USERNAME or "admin"
    BASIC_AUTH_PASSWORD = BASIC_AUTH_PASSWORD or "admin"
elif sys.argv[1:2] != ["migrate_to_railway"]:  # which serves nobody, and so needs no secret
    env.refuse_missing_secrets(
        {
            "SECRET_KEY": SECRET_KEY,
            "ALLOWED_HOSTS": ",".join(ALLOWED_HOSTS),
            "BASIC_AUTH_USERNAME": BASIC_AUTH_USERNAME,
            "BASIC_AUTH_PASSWORD": BASIC_AUTH_PASSWORD,
        }
    )
    env.refuse_weak_secrets(BASIC_AUTH_USERNAME, BASIC_AUTH_PASSWORD, SECRET_KEY)

# ---------------------------------------------------------------------------- dlt

DATASET_NAME = env.read_schema("DATASET_NAME", "faker_dlt_dataset")
PIPELINE_NAME = env.read_identifier("PIPELINE_NAME", "faker_data_pipeline")
DESTINATION = env.read_destination("DESTINATION", "postgres")

# dlt reads these when it is imported, so they are set here, before anything imports it.
# setdefault, so that whoever starts the process can still say otherwise.
os.environ.setdefault("DLT_DATA_DIR", str(LOCAL_DIR / "dlt"))  # not in the home folder
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")  # nothing is sent anywhere
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")  # the command reports for itself

# ---------------------------------------------------------------------------- application

INSTALLED_APPS = [
    "elt_site",  # before whitenoise, whose runserver it overrides
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    # Not its default, which imports every admin class for every command: `elt_site.urls` does that.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",  # before staticfiles, whose runserver it overrides
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # Swagger UI's and Redoc's files, served by the app
    "access",
    "subscriptions",
]
MIDDLEWARE = [
    "subscriptions.api.middleware.ErrorShape",
    "django.middleware.security.SecurityMiddleware",
    "elt_site.policies.CleanAdminUrls",
    "elt_site.policies.BrowserPolicies",  # inside: the first to set it wins
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "subscriptions.api.middleware.SayUnavailable",
]
ROOT_URLCONF = "elt_site.urls"
WSGI_APPLICATION = "elt_site.wsgi.application"
APPEND_SLASH = False  # the paths take an optional slash themselves, without a redirect
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{validator}"}
    for validator in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "subscriptions.formats"  # dates read alike in the admin, the API and SQL

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["subscriptions.api.authentication.EveryCredential"],
    "DEFAULT_PERMISSION_CLASSES": ["subscriptions.api.permissions.IsClientOrStaff"],
    # JSON first: it is for everybody who does not ask for HTML.
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "subscriptions.api.renderers.PageRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [],  # nothing is ever sent
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "subscriptions.api.negotiation.FormatOrAccept",
    "EXCEPTION_HANDLER": "subscriptions.api.errors.exception_handler",
    "COERCE_DECIMAL_TO_STRING": False,  # fees are numbers
    "DEFAULT_SCHEMA_CLASS": "subscriptions.api.documentation.schema.PathSchema",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Subscriptions API",
    "VERSION": __version__,
    "PREPROCESSING_HOOKS": ["subscriptions.api.documentation.schema.without_slash"],
    "POSTPROCESSING_HOOKS": ["subscriptions.api.documentation.schema.complete"],
    "SORT_OPERATION_PARAMETERS": False,
}
# Lists that a process reads and writes at once: fewer than gunicorn's threads (16), whose rest then
# answers what is short. Those that wait for one of them to end have no thread (elt_site/turns.py).
LISTS_AT_ONCE = env.read_int("LISTS_AT_ONCE", 8)
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Subscriptions",
    "SITE_HEADER": "Subscriptions",
    "SITE_SUBHEADER": "A synthetic company",
    "SITE_SYMBOL": "stacked_bar_chart",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "subscriptions.admin.site.favicon"}
    ],
    "STYLES": ["subscriptions.admin.site.styles"],
    "ENVIRONMENT": "subscriptions.admin.site.environment",
    "DASHBOARD_CALLBACK": "subscriptions.admin.site.dashboard",
    "SIDEBAR": {"navigation": "subscriptions.admin.site.navigation"},
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(60% .118 184.704)",
            "700": "oklch(51.1% .096 186.391)",
            "800": "oklch(43.7% .078 188.216)",
            "900": "oklch(38.6% .063 188.416)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
}

# ---------------------------------------------------------------------------- static files

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# In development files come from where they lie, without collectstatic.
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# ---------------------------------------------------------------------------- security

# How many proxies stand in front of the app and may be believed; Railway's edge is one.
NUM_PROXIES = env.read_int("NUM_PROXIES", 1 if RAILWAY_PUBLIC_DOMAIN else 0)

# Failed attempts to sign in, to the API and the admin, after which more are refused for the rest
# of the time: from one address, and under one name from wherever (see access/failures.py).
AUTH_FAILURES_PER_ADDRESS = env.read_int("AUTH_FAILURES_PER_ADDRESS", 10, least=1)
AUTH_FAILURES_PER_NAME = env.read_int("AUTH_FAILURES_PER_NAME", 100, least=1)
AUTH_FAILURES_SECONDS = env.read_int("AUTH_FAILURES_SECONDS", 60, least=1)

# Whether ?username=...&password=... is a credential, besides the Authorization header.
QUERY_CREDENTIALS = env.read_bool("QUERY_CREDENTIALS", default=True)
# Whether /check-tables asks for credentials as the other paths do.
PROTECT_CHECK_TABLES = env.read_bool("PROTECT_CHECK_TABLES", default=False)

# Credentials may stand in a URL, which no other page shall learn. The admin has its own policy.
SECURE_REFERRER_POLICY = "no-referrer"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "elt_site.policies.refuse_form"
CSRF_TRUSTED_ORIGINS = [f"https://{RAILWAY_PUBLIC_DOMAIN}"] if RAILWAY_PUBLIC_DOMAIN else []

if NUM_PROXIES:
    # Only behind a proxy that sets or strips it: anyone else could claim to come over TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

if not DEBUG:
    SECURE_SSL_REDIRECT = True
    # The platform's health check comes over plain HTTP and follows no redirect.
    SECURE_REDIRECT_EXEMPT = [r"^healthz/?$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# ---------------------------------------------------------------------------- logging

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"strip_query_strings": {"()": "elt_site.redaction.StripQueryStrings"}},
    "formatters": {
        "plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "request": {
            "()": "django.utils.log.ServerFormatter",
            "format": "[{server_time}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["strip_query_strings"],
            "formatter": "plain",
        },
        "request": {
            "class": "logging.StreamHandler",
            "filters": ["strip_query_strings"],
            "formatter": "request",
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers would print a second, unredacted line and mail nobody.
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["request"], "level": "INFO", "propagate": False},
    },
}
