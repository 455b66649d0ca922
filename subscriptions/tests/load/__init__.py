"""LOAD, tested by loading: real dlt runs into a real PostgreSQL."""
