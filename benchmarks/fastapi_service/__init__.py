"""The rival of the API: a plain FastAPI service on the same tables, as a tutorial would have it."""
