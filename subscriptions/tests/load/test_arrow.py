"""pandas, which the tests have installed, is imported by no process of a load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from subscriptions.load.target import Target

# What a worker process is told to do, in a process that is as new.
WORKER = """
import sys
from datetime import date
from pathlib import Path
from subscriptions.load.partitions import Company, Order, follow_parent, write_partition

follow_parent()
day = date(2026, 3, 1)
order = Order(Company(1, 10, day), day, "row", Path(sys.argv[1]))
parts = write_partition(order, 0, dict.fromkeys(("user", "subscription", "usage")))
assert parts["user"].checksum.rows == 10
sys.exit("pandas" in sys.modules)
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """This Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_workers_do_not_import_pandas(tmp_path: Path) -> None:
    ended = run("-c", WORKER, str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_command_does_not_import_pandas(database_url: str, target: Target) -> None:
    names = {"DATASET_NAME": target.dataset, "PIPELINE_NAME": target.pipeline}
    loading = ("-X", "importtime", "manage.py", "load_faker_data", "--no-transform", "--users", "1")
    ended = run(*loading, DATABASE_URL=database_url, **names)
    assert ended.returncode == 0, ended.stderr
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert {"pyarrow.compute", "dlt.pipeline.pipeline"} <= imported
    assert "pandas.core" not in imported


def test_who_wants_pandas_has_it() -> None:
    script = (
        "import subscriptions.load, pyarrow as pa; print(pa.table({'n': [1]}).to_pandas().n.sum())"
    )
    ended = run("-c", script)
    assert (ended.stdout, ended.stderr) == ("1\n", "")
