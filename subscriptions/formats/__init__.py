"""SERVE, people: how dates are written; Django looks for the modules by language."""
