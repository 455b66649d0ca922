"""SERVE (step 4), API: rows as an answer: whole where they are few, else streamed.

A stream that breaks is cut off before its last chunk, and by `elt_site.worker` with a reset, for
clients of HTTP/1.0, which has no chunks; it never looks whole.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from subscriptions.api import content_coding, lines
from subscriptions.api.row_formats import RowFormat
from subscriptions.api.slots import place


@dataclass(frozen=True)
class Rows:
    """What an answer holds, and how.

    key      the name of the list, as JSON has it.
    model    of the current rows, for its fields' types.
    rows     in their order; perhaps a slice.
    facts    what JSON says beside the rows.
    page     whether the rows are a page of the list: short, and so in need of no place.
    written  their lines, if they have been read already.
    """

    key: str
    model: type[Model]
    columns: Sequence[str]
    rows: QuerySet[Any]
    format: RowFormat
    coding: str = content_coding.IDENTITY
    facts: Mapping[str, Any] = field(default_factory=dict)
    page: bool = False
    written: bytes | None = None

    def answer(self, environ: Mapping[str, Any], *, few: bool) -> HttpResponseBase:
        """The answer.

        Args:
            environ: the request's, whose turn it is if others are waiting.
            few: whether there is reason to believe that the rows are no more than a block.

        Raises:
            Busy: too many lists are being read.
            django.db.Error: before the first rows; later the stream is cut off.
        """
        with ExitStack() as held:
            if not self.page:
                held.enter_context(place(environ))
            whole = self._together() if few or self.page else None
            response: HttpResponseBase
            if whole is not None:
                response = WholeList(b"".join(self._encoded(iter([whole]))))
            else:
                pieces = self._encoded(self._pieces())
                held.callback(pieces.close)
                response = StreamedList(chain([next(pieces)], pieces))
            response.held = held.pop_all()
        return self._described(response)

    def heading(self) -> HttpResponseBase:
        """The answer to a HEAD request, for which no row is read: so it names no length."""
        return self._described(StreamingHttpResponse(()))

    def _described(self, response: HttpResponseBase) -> HttpResponseBase:
        response["Content-Type"] = self.format.content_type
        if self.coding != content_coding.IDENTITY:
            response["Content-Encoding"] = self.coding
        return response

    def _together(self) -> bytes | None:
        rows = self.written
        if rows is None:
            found = self.format.together(self.rows, model=self.model, columns=self.columns)
            if found is None:
                return None
            rows = found.lines
        return self.format.head(self.key, self.columns) + rows + self.format.tail(self.facts)

    def _pieces(self) -> Generator[bytes]:
        between = self.format.separator
        with closing(lines.blocks(self.rows, self.format.line, self.model, self.columns)) as blocks:
            yield self.format.head(self.key, self.columns) + between.join(next(blocks, []))
            for block in blocks:
                yield between + between.join(block)
        yield self.format.tail(self.facts)

    def _encoded(self, pieces: Iterator[bytes]) -> Generator[bytes]:
        return content_coding.encoded(
            self.format.encode(pieces, self.model, self.columns), self.coding
        )


class Held:
    """An answer that keeps something until it is written, or cannot be."""

    held: ExitStack

    def close(self) -> None:
        """Let go, in the thread that wrote it: Django's connections belong to threads."""
        self.held.close()
        super().close()  # type: ignore[misc]  # a response's


class WholeList(Held, HttpResponse):
    """Few rows, in memory."""


class StreamedList(Held, StreamingHttpResponse):
    """Any number of rows, read while they are written."""
