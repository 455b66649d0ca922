"""Step 2, LOAD: bring the synthetic company into PostgreSQL with dlt."""
