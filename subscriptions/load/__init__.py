"""Step 2, LOAD: bring the synthetic company into PostgreSQL with dlt."""

from subscriptions.load.arrow import ignore_pandas

# Before `extract` is imported, whose modules make arrays.
ignore_pandas()
