"""The WSGI entry point, which gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")

application = get_wsgi_application()
