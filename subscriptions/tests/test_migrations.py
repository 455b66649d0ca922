"""The migration fits whatever the dataset is called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.parametrize("dataset", ["faker_dlt_dataset", "another_dataset"])
def test_nothing_is_left_to_migrate_under_any_dataset_name(dataset: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATASET_NAME": dataset},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "No changes detected"), done.stderr
