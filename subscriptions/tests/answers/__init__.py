"""Tests of ANSWERS: rules by hand, what must add up, and the real marts held against the key."""
