"""ACCESS: who may read. Personal tokens, and failed attempts to sign in, which are counted."""
