"""SERVE, people: the admin; read-only, because dlt owns the tables."""

from subscriptions.admin import access, business, loads, site, tokens, versions

__all__ = ["access", "business", "loads", "site", "tokens", "versions"]
