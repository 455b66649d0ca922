"""ACCESS from a shell: one module for each command."""
