"""SERVE (step 4), API documentation: the schemas of rows: their serializers, and what to know."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import yaml
from django.db.models import Model
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from subscriptions.fixed_values import PAYMENT_METHODS, REFERRAL_SOURCES, REGIONS, STATUSES
from subscriptions.transform.marts import DESCRIPTIONS

Schema = dict[str, Any]

KEY: Final[Schema] = {"pattern": "^[0-9a-f]{8}$"}
COUNT: Final[Schema] = {"minimum": 0}

# What a type alone does not tell. Columns of the same name mean the same in every table.
NOTES: Final[Mapping[str, Schema]] = {
    "user_id": {
        **KEY,
        "description": "The user's key: eight hexadecimal characters that never change.",
        "examples": ["1f3294c1"],
    },
    "first_name": {"description": "Given name.", "examples": ["Shane"]},
    "last_name": {"description": "Family name.", "examples": ["Wyatt"]},
    "email": {
        "format": "email",
        "description": "Address, unique among the current users; its domain is one of those that "
        "are reserved for documentation.",
        "examples": ["shane@example.com"],
    },
    "signup_date": {
        "description": "Day on which the user's first subscription started.",
        "examples": ["2025-10-23"],
    },
    "plan_id": {
        "minimum": 0,
        "description": "Key of the plan; for a user, that of the latest subscription.",
        "examples": [3],
    },
    "region": {
        "description": "Where the user lives.",
        "enum": [*REGIONS],
    },
    "referral_source": {
        "description": "What brought the user.",
        "enum": [*REFERRAL_SOURCES],
    },
    "plan_name": {"description": "Name of the plan.", "examples": ["Premium"]},
    "monthly_fee": {
        "minimum": 0,
        "description": "US dollars a month, with at most two decimals.",
        "examples": [35.0],
    },
    "max_users": {
        "pattern": "^([0-9]+|unlimited)$",
        "description": "How many people may share a subscription: a number, or `unlimited`.",
        "examples": ["25"],
    },
    "features": {
        "description": "What the plan includes, its storage among it.",
        "examples": [["25 GB storage", "Priority support"]],
    },
    "subscription_id": {
        **KEY,
        "description": "The subscription's key: eight hexadecimal characters that never change.",
        "examples": ["9c41d0e7"],
    },
    "start_date": {"description": "First day.", "examples": ["2025-10-23"]},
    "end_date": {
        "description": "Last day, inclusive; null while open-ended, as free plans are.",
        "examples": ["2025-11-23"],
    },
    "payment_method": {
        "description": "How it is paid; null on a free plan.",
        "enum": [*PAYMENT_METHODS, None],
    },
    "status": {
        "description": "`Active` while the load's as-of date lies within the subscription.",
        "enum": [*STATUSES],
    },
    "usage_id": {
        **KEY,
        "description": "The usage record's key: eight hexadecimal characters that never change.",
        "examples": ["5b7e02af"],
    },
    "usage_date": {"description": "Day on which it happened.", "examples": ["2025-11-02"]},
    "actions_performed": {**COUNT, "description": "Actions on that day.", "examples": [42]},
    "storage_used_mb": {
        **COUNT,
        "description": "Megabytes that the user stored; never more than the plan has.",
        "examples": [118.4],
    },
    "api_calls": {**COUNT, "description": "API calls on that day.", "examples": [310]},
    "active_minutes": {**COUNT, "description": "Minutes of activity.", "examples": [57]},
}
# Said of every column by the serializers' fields, which nobody can write, and the models' labels.
NOISE: Final = ("readOnly", "title", "maximum", "exclusiveMaximum", "exclusiveMinimum")


def described(schema: Schema, note: Schema) -> Schema:
    """A column's schema with what is to be known of it."""
    plain = {name: value for name, value in schema.items() if name not in NOISE}
    return {**plain, **note}


@cache
def of_marts() -> Mapping[str, Mapping[str, Schema]]:
    """Of each mart its columns' notes: what the dbt project says of them."""
    models = yaml.safe_load(DESCRIPTIONS.read_text(encoding="utf-8"))["models"]
    return {
        model["name"]: {
            column["name"]: {"description": " ".join(column["description"].split())}
            for column in model["columns"]
        }
        for model in models
    }


def notes_of(model: type[Model]) -> Mapping[str, Schema]:
    """What there is to know of a table's or a mart's columns."""
    return of_marts().get(model._meta.db_table.split(".")[-1].strip('"'), NOTES)


class RowSchema(OpenApiSerializerExtension):
    """A row as an object with exactly these columns."""

    target_class = "subscriptions.api.serializers.RowSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        """The types that drf-spectacular finds, in the contract's order, with notes."""
        made = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001 - as its documentation says
        notes = notes_of(self.target.Meta.model)
        columns = {
            name: described(schema, notes[name]) for name, schema in made["properties"].items()
        }
        return {
            "type": "object",
            "properties": columns,
            "required": list(columns),
            "additionalProperties": False,
        }
