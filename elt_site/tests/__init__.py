"""Tests of the project and its platform."""
