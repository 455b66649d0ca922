"""A mart from somebody else's CSV file, and every way in which the file may be none."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from subscriptions.answers import csv_files
from subscriptions.answers.marts import CHURN_MONTHLY, REFERRAL_PERFORMANCE, Mart, Row
from subscriptions.load.errors import LoadError
from subscriptions.tests.answers.hand_made import day

Read = Callable[..., list[Row]]

HEADER: Final = ",".join(CHURN_MONTHLY.columns)
ROW: Final = "2026-01-01,2026-01-31,9,3,0.333333,90.00,20,0.2222222222222,-.5"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a file and read it."""

    def write_and_read(content: bytes | str, mart: Mart = CHURN_MONTHLY) -> list[Row]:
        path = tmp_path / "mine.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return csv_files.read(path, mart)

    return write_and_read


def test_values_are_read_by_their_columns_kinds(read: Read) -> None:
    (row,) = read(f"{HEADER}\n{ROW}\n")
    assert row == CHURN_MONTHLY.row(
        day("01-01"), day("01-31"), 9, 3, Decimal("0.333333"), 90, 20, Decimal("0.222222"),
        Decimal("-0.5"),
    )  # fmt: skip


def test_columns_come_in_any_order_and_empty_is_null(read: Read) -> None:
    backwards = ",".join(reversed(HEADER.split(",")))
    (row,) = read(f"{backwards}\n,,0,0,,0,0,2026-01-31,2026-01-01\n")
    assert list(row) == list(CHURN_MONTHLY.columns)
    assert row["month"] == day("01-01")
    assert (row["revenue_churn_rate"], row["net_revenue_retention"]) == (None, None)


def test_a_byte_order_mark_windows_lines_quotes_and_no_last_line_end_are_fine(read: Read) -> None:
    header = ",".join(REFERRAL_PERFORMANCE.columns)
    text = f'\ufeff{header}\r\n"paid, ads",3,2,0.5,1,1,1e2,3.00,0.1\r\n\r\nreferral,1,,,,,,,'
    first, second = read(text, REFERRAL_PERFORMANCE)
    assert (first["referral_source"], first["revenue"]) == ("paid, ads", 100)
    assert second["referral_source"] == "referral"


def test_the_noise_of_binary_fractions_is_rounded_off_and_nothing_else(read: Read) -> None:
    noisy = ROW.replace("90.00", "90.00000000000001").replace(",20,", ",20.001,")
    (row,) = read(f"{HEADER}\n{noisy}\n")
    assert (row["opening_mrr"], row["churned_mrr"]) == (90, Decimal("20.001"))


REFUSED: Final = {
    "": "mine.csv is empty: its first line has to name the columns.",
    "\n\n": "mine.csv is empty",
    HEADER.replace("month,", ""): "mine.csv lacks month: the columns of churn_monthly, in any",
    f"{HEADER},note": "mine.csv has besides 'note': the columns",
    HEADER.replace("opening_mrr", "openingmrr"): "lacks opening_mrr and has besides 'openingmrr'",
    HEADER.replace(",", ";"): (
        "mine.csv has semicolons between its columns: save it with commas there, and with points "
        "in its numbers."
    ),
    f"sep=;\n{HEADER}": "has semicolons between",
    '"{}"\n'.format(HEADER.replace(",", '"\t"')): "has tabs between",
    f"{HEADER},month": "mine.csv has twice month",
    f"{HEADER}\n{ROW},1\n": "mine.csv, line 2, has 10 cells instead of 9.",
    f"{HEADER}\n{ROW}\n{ROW}".removesuffix(",-.5"): "mine.csv, line 3, has 8 cells instead of 9.",
    f"{HEADER}\n{ROW.replace(',9,', ',nine,')}": (
        "mine.csv, line 2: opening_customers must be a whole number, not 'nine'."
    ),
    f"{HEADER}\n\n{ROW.replace('-31', '-32')}": (
        "mine.csv, line 3: measured_on must be a date such as 2026-01-31, not '2026-01-32'."
    ),
    f"{HEADER}\n{ROW.replace('2026-01-31', '31.01.2026')}": "measured_on must be a date such as",
    f"{HEADER}\n{ROW.replace('90.00', 'NaN')}": "opening_mrr must be an amount with 2 decimals",
    f"{HEADER}\n{ROW.replace('90.00', '9_0')}": "opening_mrr must be an amount",
    f"{HEADER}\n{ROW.replace('90.00', '1e99')}": "opening_mrr must be an amount",
    f"{HEADER}\n{ROW.replace('90.00', '1e999999999')}": "opening_mrr must be an amount",
    f"{HEADER}\n{ROW.replace('2026-01-01', '')}": (
        "mine.csv, line 2: month is empty, but tells the rows apart."
    ),
    f'{HEADER}\n"2026-01-01" 1,2': "mine.csv, line 2, is no CSV:",
    f'{HEADER}\n"never closed': "is no CSV: unexpected end of data.",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_such_mart_is_one_sentence(text: str, read: Read) -> None:
    with pytest.raises(LoadError) as refusal:
        read(text)
    assert REFUSED[text] in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_another_encoding_says_where(read: Read) -> None:
    latin = f"{HEADER}\n{ROW}\nM\xe4rz".encode("latin-1")
    with pytest.raises(LoadError, match=r"is not UTF-8 \(line 3 has the byte 0xe4\): save it as"):
        read(latin)
    with pytest.raises(LoadError, match=r"is not UTF-8 \(line 1 has the byte 0xff\)"):
        read(HEADER.encode("utf-16"))


def test_no_such_file_and_a_folder_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"none\.csv cannot be read: No such file or directory\."):
        csv_files.read(tmp_path / "none.csv", CHURN_MONTHLY)
    with pytest.raises(LoadError, match=r"cannot be read: Is a directory\."):
        csv_files.read(tmp_path, CHURN_MONTHLY)
