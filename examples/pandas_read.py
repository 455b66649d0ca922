"""The API as data frames: CSV and Parquet by URL, JSON as of a day."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from datetime import UTC, datetime
from io import BytesIO
from urllib.request import Request, urlopen

import pandas as pd

URL = os.environ.get("API_URL", "http://127.0.0.1:8000")
USERNAME = os.environ.get("API_USERNAME", "admin")
DAY = os.environ.get("API_AS_OF") or datetime.now(UTC).date().isoformat()
PASSWORD = os.environ.get("API_PASSWORD", "admin")
# As headers, which pandas sends along: a URL would keep the password in histories and logs.
HEADERS = {"Authorization": "Basic " + b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()}


def main() -> None:
    """Read, join and show."""
    users = pd.read_csv(
        f"{URL}/users?format=csv", storage_options=HEADERS, parse_dates=["signup_date"]
    )
    # Typed: dates are dates, and fees exact decimals.
    plans = pd.read_parquet(body("/plans?format=parquet"))
    usage = pd.read_parquet(body("/usages?format=parquet&fields=user_id,plan_id,active_minutes"))
    known = json.load(body(f"/subscriptions?as_of={DAY}&status=Active"))
    subscriptions = pd.DataFrame(known["subscriptions"])

    print(f"{len(users)} users, {len(usage)} usage records")
    print(users.groupby("region").size().sort_values(ascending=False).to_string())
    minutes = usage.merge(plans, on="plan_id").groupby("plan_name")["active_minutes"].mean()
    print(minutes.round(1).to_string())
    print(f"{len(subscriptions)} active subscriptions as of {DAY}")


def body(path: str) -> BytesIO:
    """What the API answers at a path."""
    with urlopen(Request(URL + path, headers=HEADERS)) as answer:
        return BytesIO(answer.read())


if __name__ == "__main__":
    main()
