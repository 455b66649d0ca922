"""The subscription business: extract, load, serve."""
