"""The backend: Django's for PostgreSQL, on a server that starts at the first connection."""

from typing import Any

from elt_site.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects to the embedded server, which NAME, USER, HOST and PORT therefore cannot choose."""

    def get_connection_params(self) -> dict[str, Any]:
        """Start the server if needed; Django asks for these only when it is about to connect."""
        from elt_site.embedded_postgres import server  # only here: it needs a POSIX system

        self.settings_dict["NAME"] = self.settings_dict["NAME"] or server.DATABASE
        self.settings_dict.update(server.start().connection_settings)
        return super().get_connection_params()
