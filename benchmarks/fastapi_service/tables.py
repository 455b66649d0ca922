"""The rival's models: the same views of the current rows that ours read."""

from __future__ import annotations

import datetime as dt
import os

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Models of the dataset that the environment names."""

    metadata = MetaData(schema=os.environ["DATASET_NAME"])


class User(Base):
    """A user as it is now."""

    __tablename__ = "user_current"

    user_id: Mapped[str] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    signup_date: Mapped[dt.date]
    plan_id: Mapped[int]
    region: Mapped[str]
    referral_source: Mapped[str]


class Usage(Base):
    """What a user did on a day."""

    __tablename__ = "usage_current"

    usage_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    plan_id: Mapped[int]
    usage_date: Mapped[dt.date]
    actions_performed: Mapped[int]
    storage_used_mb: Mapped[float]
    api_calls: Mapped[int]
    active_minutes: Mapped[int]
