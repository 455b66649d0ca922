"""SERVE, people: how dates are written in English."""
