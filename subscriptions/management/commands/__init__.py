"""Thin commands: arguments in, one call, a report out."""
