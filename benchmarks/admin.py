"""The admin at scale: `python -m benchmarks.admin`.

Loads a company and a month more, so that there is history, and asks for every kind of page that the
admin has: lists in each order, with frequent filters, with rare ones and with such as no row meets,
searches, the last page, further stretches, records, their histories and versions. Server time is
that of the whole request in this process, from the middleware to the rendered page.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from statistics import median
from typing import TYPE_CHECKING

import psutil

from benchmarks import command, report
from benchmarks.report import Figure
from benchmarks.workplace import workplace

if TYPE_CHECKING:
    from django.test import Client

GOAL_MS = 300
FIRST_BYTES_GOAL_MS, MEMORY_GOAL_MB = 300, 64
EPOCH = "2026-10-01"
SHOWN = 12

DASHBOARDS = ("", "?period=all", "?plan=Premium&region=Europe")
# By list: what it is asked for. The orders that each offers come on top.
ASKED = {
    "user": (
        "",
        "plan=5",
        "region=Oceania",
        "region=Oceania&plan=5&referral_source=referral",
        "signup_date_to=2024-08-10",
        "signup_date_from=2099-01-01",
        "signup_date_from=2025-01-01&region=Africa",
        "q=smith",
        "q=s",
        "q=John+Smith",
        "q=nobody+at+all",
    ),
    "subscription": (
        "",
        "status=Active",
        "status=Inactive",
        "plan=1&payment_method=paypal",
        "start_date_from=2099-01-01",
        "end_date_to=2024-12-31",
        "status=Active&end_date_to=2024-12-31",
        "q=nobody",
    ),
    "usage": (
        "",
        "plan=5",
        "usage_date_from=2026-10-01",
        "usage_date_to=2024-08-31&plan=5",
        "usage_date_from=2099-01-01",
        "user=nobody",
        "q=nobody",
    ),
    "userversion": ("", "validity=closed", "valid_from_from=2026-10-02", "q=nobody"),
    "subscriptionversion": ("", "validity=closed", "valid_from_from=2099-01-01"),
    "usageversion": ("", "validity=closed", "valid_from_from=2026-10-02"),
    "plan": ("", "q=prem"),
    "planversion": ("", "validity=closed"),
    "dltload": ("",),
}


class Pages:
    """The admin's pages, asked by an administrator."""

    def __init__(self, runs: int) -> None:
        from django.contrib.auth.models import User as Account
        from django.test import Client

        self._runs = runs
        self._client: Client = Client(headers={"host": "localhost"})
        self._client.force_login(Account.objects.filter(is_superuser=True)[0])
        self._client.get("/admin/auth/user/")  # imports what every page needs
        self.times: dict[str, list[float]] = {}

    def measure(self) -> None:
        """Milliseconds of each page, several times after another."""
        for address in self._addresses():
            self.times[address] = [self._ask(address) for _ in range(self._runs)]
            print(f"{median(self.times[address]):7.0f} ms  {address}", flush=True)

    def export(self) -> tuple[float, float, float]:
        """The largest list as a file: ms to its first bytes, seconds in all, MB of memory."""
        process = psutil.Process(os.getpid())
        before = most = process.memory_info().rss
        started = time.perf_counter()
        response = self._client.get("/admin/subscriptions/usage/export/")
        pieces = iter(response.streaming_content)  # type: ignore[attr-defined]
        next(pieces)
        first = time.perf_counter() - started
        for number, _ in enumerate(pieces):
            if number % 10 == 0:
                most = max(most, process.memory_info().rss)
        return first * 1000, time.perf_counter() - started, (most - before) / 1e6

    def _ask(self, address: str) -> float:
        started = time.perf_counter()
        response = self._client.get(address)
        taken = (time.perf_counter() - started) * 1000
        assert response.status_code == HTTPStatus.OK, f"{address}: {response.status_code}"
        return taken

    def _addresses(self) -> Iterator[str]:
        from django.contrib import admin

        import elt_site.urls  # noqa: F401 - imports the admin's classes
        from subscriptions.admin.display import url

        yield from (f"/admin/{query}" for query in DASHBOARDS)
        for model, model_admin in admin.site._registry.items():  # noqa: SLF001
            name = str(model._meta.model_name)
            if model._meta.app_label != "subscriptions":
                continue
            columns = [*model_admin.list_display]
            orders = [columns.index(column) for column in model_admin.sortable_by or ()]
            for query in ASKED[name]:
                yield (first := f"{url(model)}?{query}")
                yield from self._more(first)
            yield from (f"{url(model)}?o={sign}{n}" for n in orders for sign in ("", "-"))
            key = model._default_manager.values_list("pk", flat=True)[0]
            yield from (url(model, view, key) for view in ("change", "history"))

    def _more(self, address: str) -> Iterator[str]:
        """The last page of a list, and its next stretch."""
        page = html.unescape(self._client.get(address).content.decode())
        numbers = [int(number) for number in re.findall(r'href="\?[^"]*\bp=(\d+)', page)]
        if numbers:
            yield f"{address}&p={max(numbers)}"
        further = re.search(r'href="(\?[^"]*\bafter=[^"&]*[^"]*)" class="record-link">Look', page)
        if further:
            yield address.split("?", maxsplit=1)[0] + further[1]


@contextmanager
def _loaded(users: int, *, here: bool) -> Iterator[tuple[str, int]]:
    """Make the admin ready to be asked; of what company, and the id of the server's process."""
    if here:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")
        import django

        django.setup()
        yield "The dataset that was there", os.getpid()
        return
    with workplace(users) as place:
        company = ("--users", str(users), "--epoch", EPOCH, "--as-of", EPOCH)
        for step in (company, ("--advance", "1m")):
            print(f"{' '.join(step)}: {command.python(*command.LOAD, *step).seconds:.0f} s")
        command.python("manage.py", "transform")
        place.settle()
        yield f"{users:,} users and a month", place.postmaster


def main() -> None:
    """Load, measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5, help="of each page, for the median")
    parser.add_argument("--here", action="store_true", help="ask the project's own dataset instead")
    arguments = parser.parse_args()
    with _loaded(arguments.users, here=arguments.here) as (company, server):
        bystanders = report.Bystanders(server)
        pages = Pages(arguments.runs)
        pages.measure()
        exported = pages.export()
        noise = bystanders.sentence()
    medians = sorted(((median(taken), page) for page, taken in pages.times.items()), reverse=True)
    slowest = [(page, f"{ms:.0f} ms") for ms, page in medians[:SHOWN]]
    print(f"\n{company}. {report.machine()}. {noise}\n")
    print(report.table((f"the slowest of {len(medians)} pages", "median"), slowest))
    print()
    first, seconds, memory = exported
    unread, page = max((taken[0], page) for page, taken in pages.times.items())
    found = [
        Figure("the slowest page, median", GOAL_MS, medians[0][0], "ms"),
        Figure(f"the slowest when first asked for ({page})", GOAL_MS, unread, "ms"),
        Figure("all usage as CSV: first bytes", FIRST_BYTES_GOAL_MS, first, "ms"),
        Figure(f"all usage as CSV: memory, in {seconds:.0f} s", MEMORY_GOAL_MB, memory, "MB"),
    ]
    print(report.figures(found))


if __name__ == "__main__":
    main()
