"""SERVE (step 4), for programs: the dataset as a read-only JSON API, browsable by people."""
