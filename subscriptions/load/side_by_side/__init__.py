"""LOAD, side by side: what each write disposition makes of the same two loads."""
