"""A Django database backend on a PostgreSQL server of the project's own."""
