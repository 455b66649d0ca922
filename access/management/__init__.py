"""ACCESS from a shell."""
