"""The settings, for a server in production mode whose static files nobody has collected."""

from elt_site.settings import *  # noqa: F403
from elt_site.settings import STORAGES

STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
