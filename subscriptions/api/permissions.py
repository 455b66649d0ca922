"""SERVE (step 4), API: who may read."""

from __future__ import annotations

from rest_framework.permissions import IsAdminUser


class IsClientOrStaff(IsAdminUser):
    """Holders of the settings' credentials, and signed-in users who are staff."""

    message = "You are signed in as a user who is not staff."
