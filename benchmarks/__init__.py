"""Re-runnable measurements; each prints what it measured beside the goal it is held to."""
