"""SERVE (step 4), API: what it says of itself: an OpenAPI document, and two pages that show it."""
