"""Tests of EXTRACT: pure, without a database."""
