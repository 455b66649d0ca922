"""LOAD: what the dataset's four tables are called, keyed by and made of.

The business columns come from the extract step's Arrow schemas; this module adds what every
stored row carries besides: dlt's two columns and the validity of the row's version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import pyarrow as pa

from subscriptions.extract import SCHEMAS

if TYPE_CHECKING:
    from dlt.common.schema.typing import TColumnSchema

Disposition = Literal["replace", "append", "merge", "scd2"]
DISPOSITIONS: Final[tuple[Disposition, ...]] = get_args(Disposition)

VERSION_COLUMNS: Final = ("valid_from", "valid_to")
DLT_COLUMNS: Final = ("_dlt_load_id", "_dlt_id")
RECEIPT_TABLE: Final = "_load_receipt"


@dataclass(frozen=True)
class Table:
    """One table of the dataset: its name, key column, and disposition unless told otherwise."""

    name: str
    key: str
    disposition: Disposition

    @property
    def columns(self) -> tuple[str, ...]:
        """The business columns, in the contract's order."""
        return tuple(SCHEMAS[self.name].names)

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """Every column of a stored row."""
        return (*self.columns, *VERSION_COLUMNS, *DLT_COLUMNS)

    @property
    def view(self) -> str:
        """The view of the current rows, which the Django models read."""
        return f"{self.name}_current"

    @property
    def dlt_columns(self) -> dict[str, TColumnSchema]:
        """Dlt's column hints, complete, so that nothing is inferred from data."""
        hints = {field.name: _hint(field) for field in SCHEMAS[self.name]}
        hints[self.key]["nullable"] = False
        hints["valid_from"] = {"data_type": "timestamp", "nullable": False}
        hints["valid_to"] = {"data_type": "timestamp", "nullable": True}
        hints["_dlt_load_id"] = {"data_type": "text", "nullable": False}
        hints["_dlt_id"] = {"data_type": "text", "nullable": False}
        return hints


def _hint(field: pa.Field) -> TColumnSchema:
    """Translate one Arrow field into dlt's column hint."""
    kind = field.type
    if field.name == "features":
        return {"data_type": "json"}
    if pa.types.is_integer(kind):
        return {"data_type": "bigint", "precision": kind.bit_width}
    if pa.types.is_decimal(kind):
        return {"data_type": "decimal", "precision": kind.precision, "scale": kind.scale}
    if pa.types.is_floating(kind):
        return {"data_type": "double"}
    if pa.types.is_date(kind):
        return {"data_type": "date"}
    return {"data_type": "text"}


PLAN: Final = Table("plan", "plan_id", "scd2")
USER: Final = Table("user", "user_id", "scd2")
SUBSCRIPTION: Final = Table("subscription", "subscription_id", "scd2")
USAGE: Final = Table("usage", "usage_id", "merge")
TABLES: Final = (PLAN, USER, SUBSCRIPTION, USAGE)
