"""LOAD, migration: a dataset copied to another database, to be gone on with there."""
