"""Tests of the OpenAPI document and the pages that show it."""
