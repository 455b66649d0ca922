"""The subscription business: extract, load, serve."""

__version__ = "0.1.0"
