"""Tests of who may read, one module for each that they test."""
