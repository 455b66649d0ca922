"""Tests of the admin, one file per module that it tests."""
