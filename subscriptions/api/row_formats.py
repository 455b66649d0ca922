"""SERVE (step 4), API: the formats of lists; errors and single rows are JSON in each of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db.models import Model, QuerySet
from rest_framework.renderers import JSONRenderer

from subscriptions.api import lines


class RowFormat(JSONRenderer):
    """How rows become a body: a head, lines that PostgreSQL wrote with a separator, and a tail.

    REST framework knows it as a renderer, whose `media_type` and `format` it negotiates.
    """

    separator: ClassVar[bytes] = b""
    compressible: ClassVar[bool] = True

    @property
    def content_type(self) -> str:
        """The header's value."""
        return self.media_type

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """The SQL expression for a row, a `lines.Line`."""
        raise NotImplementedError

    def together(
        self,
        rows: QuerySet[Any],
        every: QuerySet[Any] | None = None,
        *,
        model: type[Model],
        columns: Sequence[str],
    ) -> lines.Joined | None:
        """What `lines.together` gives in this format."""
        return lines.together(rows, self.line, model, columns, self.separator, every)

    def head(self, key: str, columns: Sequence[str]) -> bytes:
        """What comes before the first row."""
        return b""

    def tail(self, facts: Mapping[str, Any]) -> bytes:
        """What comes after the last row; `facts` is what is said of a page."""
        return b""

    def encode(
        self, pieces: Iterable[bytes], model: type[Model], columns: Sequence[str]
    ) -> Iterator[bytes]:
        """The body, piece by piece."""
        return iter(pieces)


class JSONRows(RowFormat):
    """One object, with the rows under the path's name."""

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """An object."""
        return lines.as_object(model, columns)

    separator = b","

    def head(self, key: str, columns: Sequence[str]) -> bytes:
        """The key, and an open bracket: an answer that breaks is no JSON."""
        return f'{{"{key}":['.encode()

    def tail(self, facts: Mapping[str, Any]) -> bytes:
        """The facts beside the rows."""
        rest = f",{json.dumps(facts, separators=(',', ':'))[1:]}" if facts else "}"
        return f"]{rest}".encode()


class NDJSONRows(RowFormat):
    """One object on each line."""

    media_type = "application/x-ndjson"
    format = "ndjson"

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """An object, and a line's end."""
        return lines.as_ndjson(model, columns)


class CSVRows(RowFormat):
    """A header and a record for each row (RFC 4180)."""

    media_type = "text/csv"
    format = "csv"

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """A record."""
        return lines.as_csv(model, columns)

    @property
    def content_type(self) -> str:
        """With the parameters that RFC 7111 and RFC 4180 define."""
        return f"{self.media_type}; charset=utf-8; header=present"

    def head(self, key: str, columns: Sequence[str]) -> bytes:
        """The columns' names."""
        return (",".join(columns) + "\r\n").encode()


class SafeCSVRows(CSVRows):
    """The same for spreadsheets, which would run a cell such as `=1+1`. By `?format=` alone."""

    format = "csv-safe"

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """A record without formulas."""
        return lines.as_safe_csv(model, columns)


class ParquetRows(RowFormat):
    """A Parquet file, a row group for each block of rows."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"

    def line(self, model: type[Model], columns: Sequence[str]) -> str:
        """A record."""
        return lines.as_csv(model, columns)

    compressible = False  # it is, within

    def encode(
        self, pieces: Iterable[bytes], model: type[Model], columns: Sequence[str]
    ) -> Iterator[bytes]:
        """Its bytes; pyarrow is imported when somebody asks for them."""
        from subscriptions.api import parquet

        return parquet.encode(pieces, parquet.schema(model, columns))


ROW_FORMATS: Final = (JSONRows, NDJSONRows, CSVRows, SafeCSVRows, ParquetRows)
