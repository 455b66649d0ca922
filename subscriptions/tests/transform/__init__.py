"""Tests of TRANSFORM, with real dbt on real PostgreSQL."""
