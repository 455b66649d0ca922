"""SERVE (step 4), API documentation: the schemas of answers that hold rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
# Of a page, beside its rows; all of them, or (after a cursor) the size alone, or none.
FACTS: Final[Mapping[str, Schema]] = {
    "total": {
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "Rows on all pages; null where they were not to be counted.",
        "examples": [1000],
    },
    "page": {
        "type": "integer",
        "minimum": 1,
        "description": "The number of this page.",
        "examples": [1],
    },
    "size": {
        "type": "integer",
        "minimum": 1,
        "description": "Rows on a full page.",
        "examples": [50],
    },
    "pages": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "How many pages there are.",
        "examples": [20],
    },
    "count": {
        "type": "string",
        "enum": ["exact", "estimated", "none"],
        "description": "How the total came about.",
    },
}
NEXT: Final[Schema] = {
    "type": ["string", "null"],
    "description": "After a cursor: the address of the rows that follow; null at the end.",
}


def of_answers(basename: str, name: str, row: Schema) -> dict[str, Schema]:
    """The schemas of a list, a version and a history, by name.

    Args:
        basename: the path, under which a list has its rows.
        name: of the row's own schema.
        row: the schema itself.
    """
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {
        f"{name}Excerpt": {
            "type": "object",
            "description": "The columns that `fields` names, in its order.",
            "properties": row["properties"],
            "minProperties": 1,
            "additionalProperties": False,
        },
        f"{name}List": {
            "type": "object",
            "description": "The rows; and, of a page, which one it is.",
            "properties": {
                basename: {"type": "array", "items": some_of(name)},
                **FACTS,
                "next": NEXT,
            },
            "required": [basename],
            "dependentRequired": {
                "next": ["size"],
                **{fact: list(FACTS) for fact in FACTS if fact != "size"},
            },
            "additionalProperties": False,
        },
        f"{name}Version": _version(reference, list(row["properties"])),
        f"{name}History": {
            "type": "object",
            "description": "All versions, oldest first.",
            "properties": {
                "history": {
                    "type": "array",
                    "items": {"$ref": f"#/components/schemas/{name}Version"},
                    "minItems": 1,
                }
            },
            "required": ["history"],
            "additionalProperties": False,
        },
    }


def some_of(name: str) -> Schema:
    """A row, or an excerpt of one."""
    return {
        "anyOf": [
            {"$ref": f"#/components/schemas/{name}"},
            {"$ref": f"#/components/schemas/{name}Excerpt"},
        ]
    }


def _version(row: Schema, columns: list[str]) -> Schema:
    properties: dict[str, Schema] = {
        "valid_from": {**MOMENT, "description": "From when on it held."},
        "valid_to": {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "Until when it held, exclusive; null while it is current.",
        },
        "began": {
            "type": "string",
            "enum": ["appeared", "changed", "returned", "repeated"],
            "description": "`appeared`: the first version; `changed`: it has other values than the "
            "one before; `returned`: after a time in which the record was not in the data; "
            "`repeated`: loaded again unchanged.",
        },
        "ended": {
            "type": ["string", "null"],
            "enum": ["superseded", "disappeared", None],
            "description": "`superseded`: by the next version; `disappeared`: by none; null while "
            "it is current.",
        },
        "changes": {
            "type": "object",
            "description": "The columns with other values than in the version before.",
            "propertyNames": {"enum": columns},
            "additionalProperties": {
                "type": "object",
                "properties": {"from": {}, "to": {}},
                "required": ["from", "to"],
                "additionalProperties": False,
            },
        },
        "row": row,
    }
    return {
        "type": "object",
        "description": "What a record was during one span of time.",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
