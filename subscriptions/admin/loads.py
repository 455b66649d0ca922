"""SERVE, people: the loads: which company, as of which day, how, and what each changed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from unfold.decorators import display

from subscriptions.admin.base import ReadOnlyAdmin
from subscriptions.admin.display import NOTHING, Section, badge
from subscriptions.models import DltLoad, LoadReceipt


def receipt_of(load: DltLoad) -> LoadReceipt | None:
    """The load's receipt; None for one that dlt did for another source."""
    return getattr(load, "receipt", None)


def company(receipt: LoadReceipt | None) -> str:
    """Which company was loaded."""
    if receipt is None:
        return NOTHING
    return f"{receipt.users:,} users on {receipt.epoch:%Y-%m-%d}, seed {receipt.seed}"


def outcome(receipt: LoadReceipt) -> Section:
    """What a load brought and changed, table by table."""
    changes: dict[str, dict[str, int]] = receipt.changes or {}
    kinds = list(dict.fromkeys(kind for counts in changes.values() for kind in counts))
    stored: dict[str, dict[str, Any]] = receipt.stored or {}
    rows = [
        (
            table,
            receipt.dispositions.get(table, NOTHING),
            f"{brought:,}",
            *(f"{changes.get(table, {}).get(kind, 0):,}" for kind in kinds),
            stored.get(table, {}).get("checksum", NOTHING),
        )
        for table, brought in sorted(receipt.rows.items())
    ]
    headers = ("Table", "Disposition", "Rows", *(kind.capitalize() for kind in kinds), "Checksum")
    return Section("What it did", headers, rows, 2)


@admin.register(DltLoad)
class LoadAdmin(ReadOnlyAdmin):
    """dlt's note of each load, joined with the load's own receipt."""

    prefetch: ClassVar[tuple[str, ...]] = ("receipt",)
    list_display = ("inserted_at", "as_of", "company", "dispositions", "changes", "duration")
    ordering = ("-inserted_at",)
    sortable_by = ("inserted_at",)
    search_fields = ("load_id__exact",)
    search_help_text = "A whole load id"
    fieldsets = (
        (None, {"fields": ("load_id", "inserted_at", "duration", "outcome")}),
        ("Company", {"fields": ("company", "as_of", "dispositions", "version")}),
        ("Schema", {"fields": ("schema_name", "schema_version_hash")}),
    )

    @display(description="company")
    def company(self, load: DltLoad) -> str:
        """Size, seed and epoch."""
        return company(receipt_of(load))

    @display(description="as of")
    def as_of(self, load: DltLoad) -> object:
        """The company's day."""
        receipt = receipt_of(load)
        return receipt.as_of if receipt else None

    @display(description="dispositions")
    def dispositions(self, load: DltLoad) -> str:
        """Each write disposition with its tables."""
        receipt = receipt_of(load)
        tables: dict[str, list[str]] = {}
        for table, disposition in sorted(receipt.dispositions.items() if receipt else ()):
            tables.setdefault(disposition, []).append(table)
        return "; ".join(f"{name}: {', '.join(of)}" for name, of in tables.items()) or NOTHING

    @display(description="release")
    def version(self, load: DltLoad) -> str:
        """Which release of this product loaded it, and so what its seed stands for."""
        receipt = receipt_of(load)
        return (receipt.version if receipt else None) or NOTHING

    @display(description="changes")
    def changes(self, load: DltLoad) -> str:
        """The sums over all tables."""
        receipt = receipt_of(load)
        sums: dict[str, int] = {}
        for counts in ((receipt.changes if receipt else None) or {}).values():
            for kind, count in counts.items():
                sums[kind] = sums.get(kind, 0) + count
        return ", ".join(f"{n:,} {kind}" for kind, n in sums.items() if n) or "none"

    @display(description="duration")
    def duration(self, load: DltLoad) -> str:
        """From the load's start to its publication."""
        receipt = receipt_of(load)
        if receipt is None or receipt.published_at is None:
            return NOTHING
        return f"{(receipt.published_at - receipt.started_at).total_seconds():,.1f} s"

    @display(description="status")
    def outcome(self, load: DltLoad) -> str:
        """What dlt says of it; only completed loads are noted at all."""
        return badge("completed", "success") if load.status == 0 else badge(load.status, "danger")

    def sections(self, row: DltLoad) -> list[Section]:
        """What it brought and changed."""
        receipt = receipt_of(row)
        return [outcome(receipt)] if receipt else []
