"""The Django project: settings, URLs, deployment and the embedded database server."""
