"""LOAD: Arrow without pandas, in the command's process and in its workers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Answers before all others that there is no pandas."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)
        return None


def ignore_pandas() -> None:
    """Have pyarrow ask now whether there is pandas, and find none.

    Where it is installed, pyarrow imports it for the first array that it makes, of whatever: a
    fifth of a second and 30 MB in each process of a load, which has no use for it. Whoever calls
    `to_pandas` still gets it.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)
