"""Tests of the API, over HTTP against a dataset that the real pipeline has loaded."""
