"""What `load_faker_data` refuses of its arguments, in this process: one sentence, and no trace."""

from __future__ import annotations

import re
from typing import Final

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import DjangoDbBlocker

from subscriptions.load.target import Target

DATASET: Final = "never_loaded"
# Which arguments, and what is said of them.
BAD_ARGUMENTS = {
    "negative": (["--users", "-5"], "not -5"),
    "not a number": (["--users", "many"], "--users must be a whole number, not 'many'"),
    "too many": (["--users", "50000001"], "50,000,001"),
    "no date": (["--as-of", "2026-02-30"], "--as-of must be a date"),
    "too early": (["--as-of", "2024-07-31"], "2024-08-01"),
    "early epoch": (["--epoch", "2024-07-31"], "2024-08-01"),
    "disposition": (["--write-disposition", "upsert"], "use replace, append, merge, scd2"),
    "workers": (["--workers", "0"], "--workers must be 1 or more"),
    "advance": (["--advance", "a month"], "such as 30d, 2w or 3m, not 'a month'"),
    "advance to a day": (["--advance", "1d", "--as-of", "2026-01-01"], "not both"),
    "nothing to advance": (["--advance", "1d"], "load one first"),
    "backfill": (["--backfill", "hourly"], "use daily, weekly, monthly"),
    "from alone": (["--from", "2026-01-01"], "name both, or neither"),
    "from no date": (["--backfill", "daily", "--from", "then"], "--from must be a date"),
    "verify and load": (["--verify", "--advance", "3d"], "leave out --advance"),
    "backfill by merge": (
        ["--backfill", "daily", "--write-disposition", "merge"],
        "which merge does not keep",
    ),
    "backfill by so much": (["--backfill", "daily", "--advance", "3d"], "Name with --as-of"),
    "wait": (["--wait", "-1"], "--wait must be 0 seconds or more"),
}


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_get_one_sentence_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker, case: str
) -> None:
    arguments, says = BAD_ARGUMENTS[case]
    monkeypatch.setattr(settings, "DATASET_NAME", DATASET)
    with django_db_blocker.unblock():
        with pytest.raises(CommandError, match=re.escape(says)) as refusal:
            call_command("load_faker_data", *arguments)
        target = Target.from_settings()
    assert "\n" not in str(refusal.value)
    with target.connect("test") as session:
        assert session.execute("SELECT to_regnamespace(%s)", [DATASET]).fetchone() == (None,)
