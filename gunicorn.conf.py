"""How gunicorn serves the site; it reads this file by itself, so both platforms' files agree."""

import sys
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

from elt_site import environment as env

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

# A platform names the port, and wants every address; in development this is somebody's own machine.
try:
    public = env.read("PORT") and not env.development()
    bind = f"{'0.0.0.0' if public else '127.0.0.1'}:{env.read_int('PORT', 8000)}"  # noqa: S104
except ImproperlyConfigured as error:
    sys.exit(f"Error: {error}")
# A second process uses the second core.
workers = env.read_int("WEB_CONCURRENCY", 2)
# gunicorn's own threads, for which no client's slowness is a thread's.
worker_class = "elt_site.worker.Worker"
# What occupies a thread is PostgreSQL's work, or writing an answer that is larger than the system's
# buffers, so this is more than a worker's lists in flight: the health check and small answers need
# the rest, and lists that wait for their turn have no thread. It is also how many connections to
# PostgreSQL a worker keeps, since each thread has one: 2 workers hold 32 of the 100 that PostgreSQL
# allows by default. Not Django's pool: it would bound them no better, and make each request wait
# for it while the database is down.
threads = 16
# Connections that wait for their next request occupy no thread, but one of the 1,024 files that a
# process may have open on most systems, and running out of them would end the worker.
worker_connections = 500
# Of the loop alone, which never waits for a client: a worker that is silent for so long is stuck.
timeout = 60
# For the answers under way when a new release takes over; a platform waits about that long.
graceful_timeout = 20
# Between requests, and for the rest of a request's head.
keepalive = 5
forwarded_allow_ips = ""  # whether a proxy's word is believed is decided by NUM_PROXIES alone
control_socket_disable = True  # it would lie in the home folder, and nothing here uses it
accesslog = "-"
# The path only: credentials may travel in the query string, which %(r)s, %(q)s and the Referer
# %(f)s repeat.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms "%(a)s"'


def on_starting(server: "Arbiter") -> None:
    """Refuse a wrong configuration once and in one line, before any worker could fail on it."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")
    from django.conf import settings

    from elt_site.redaction import StripLoggedPath, StripQueryStrings

    # Errors name the whole URI of the request that failed.
    server.log.error_log.addFilter(StripQueryStrings())
    server.log.access_log.addFilter(StripLoggedPath())
    try:
        settings.INSTALLED_APPS  # noqa: B018 - the first look reads them all
    except ImproperlyConfigured as error:
        server.log.error("Error: %s", error)
        sys.exit(1)
