"""The contract between LOAD and SERVE: unmanaged models on the tables that dlt creates.

Django neither makes nor changes these tables. Their schema comes from the extract step's Arrow
schemas, by way of `load.tables` (column types) and dlt (`CREATE TABLE`, and `ALTER TABLE` when a
column is added); `load.structure` adds the views and indexes. A test loads real data and compares
every field with its column, so the two cannot drift apart unseen.

Each table holds every version of a row that was ever current. So there are two models for each:

* `User`, `Plan`, `Subscription`, `Usage` read the views of the current rows, `user_current` and
  so on. Keys are unique there, hence relations, joins and counts are right in both directions,
  with nothing to remember when writing a query. (Filtering the table in a manager would not do:
  joins do not go through managers.) PostgreSQL inlines the views, they cost nothing.
* `UserVersion` and its sisters read the tables themselves, keyed by `_dlt_id`, which is unique
  for every stored row.

Only after an `append`, which promises no uniqueness, can a key be current more than once.

`marts` has the models on what TRANSFORM makes of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from subscriptions import marts  # noqa: F401 - Django finds models where this module is
from subscriptions.history import UsageVersions, Versions
from subscriptions.relations import relation

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Row(models.Model):
    """What every stored row carries besides its business columns."""

    valid_from = models.DateTimeField(help_text="Start of the day from which this version holds.")
    valid_to = models.DateTimeField(
        null=True, help_text="Start of the day from which it no longer does; empty while current."
    )
    dlt_load_id = models.TextField("load", db_column="_dlt_load_id")
    dlt_id = models.TextField("row id", db_column="_dlt_id", unique=True)

    class Meta:
        abstract = True


class Version(Row):
    """A stored row as one version among others of its key."""

    dlt_id = models.TextField("row id", db_column="_dlt_id", primary_key=True)

    objects = Versions.as_manager()

    class Meta:
        abstract = True


class PlanColumns(models.Model):
    """The business columns of a plan, but for its key."""

    plan_name = models.TextField()
    monthly_fee = models.DecimalField(max_digits=10, decimal_places=2, help_text="US dollars.")
    max_users = models.TextField(help_text="A number, or “unlimited”.")
    features = models.JSONField()

    class Meta:
        abstract = True


class UserColumns(models.Model):
    """The business columns of a user, but for its key."""

    first_name = models.TextField()
    last_name = models.TextField()
    email = models.TextField("e-mail")
    signup_date = models.DateField()
    plan = models.ForeignKey(
        "Plan", models.DO_NOTHING, db_constraint=False, related_name="%(class)ss"
    )
    region = models.TextField()
    referral_source = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class SubscriptionColumns(models.Model):
    """The business columns of a subscription, but for its key."""

    user = models.ForeignKey(
        "User", models.DO_NOTHING, db_constraint=False, related_name="%(class)ss"
    )
    plan = models.ForeignKey(
        "Plan", models.DO_NOTHING, db_constraint=False, related_name="%(class)ss"
    )
    start_date = models.DateField()
    end_date = models.DateField(null=True, help_text="Last day; empty while open-ended.")
    payment_method = models.TextField(null=True, help_text="Empty on a free plan.")  # noqa: DJ001
    status = models.TextField()

    class Meta:
        abstract = True


class UsageColumns(models.Model):
    """The business columns of a day's usage, but for its key."""

    user = models.ForeignKey(
        "User", models.DO_NOTHING, db_constraint=False, related_name="%(class)ss"
    )
    plan = models.ForeignKey(
        "Plan", models.DO_NOTHING, db_constraint=False, related_name="%(class)ss"
    )
    usage_date = models.DateField()
    actions_performed = models.IntegerField()
    storage_used_mb = models.FloatField("storage used (MB)")
    api_calls = models.IntegerField("API calls")
    active_minutes = models.IntegerField()

    class Meta:
        abstract = True


class Plan(PlanColumns, Row):
    """A plan as it is now."""

    plan_id = models.IntegerField("plan id", primary_key=True)

    if TYPE_CHECKING:
        users: RelatedManager[User]
        subscriptions: RelatedManager[Subscription]
        usages: RelatedManager[Usage]
        versions: RelatedManager[PlanVersion]

    class Meta:
        managed = False
        db_table = relation("plan_current")

    def __str__(self) -> str:
        return self.plan_name


class User(UserColumns, Row):
    """A user as it is now."""

    user_id = models.TextField("user id", primary_key=True)

    if TYPE_CHECKING:
        subscriptions: RelatedManager[Subscription]
        usages: RelatedManager[Usage]
        versions: RelatedManager[UserVersion]

    class Meta:
        managed = False
        db_table = relation("user_current")


class Subscription(SubscriptionColumns, Row):
    """A subscription as it is now."""

    subscription_id = models.TextField("subscription id", primary_key=True)

    if TYPE_CHECKING:
        versions: RelatedManager[SubscriptionVersion]

    class Meta:
        managed = False
        db_table = relation("subscription_current")

    def __str__(self) -> str:
        return self.subscription_id


class Usage(UsageColumns, Row):
    """A user's usage on one day."""

    usage_id = models.TextField("usage id", primary_key=True)

    if TYPE_CHECKING:
        versions: RelatedManager[UsageVersion]

    class Meta:
        managed = False
        db_table = relation("usage_current")
        verbose_name = "usage record"

    def __str__(self) -> str:
        return self.usage_id


class PlanVersion(PlanColumns, Version):
    """What a plan was during one span of time."""

    current = models.ForeignKey(
        Plan, models.DO_NOTHING, db_column="plan_id", db_constraint=False, related_name="versions"
    )

    class Meta:
        managed = False
        db_table = relation("plan")

    def __str__(self) -> str:
        return f"{self.plan_name} from {self.valid_from:%Y-%m-%d}"


class UserVersion(UserColumns, Version):
    """What a user was during one span of time."""

    current = models.ForeignKey(
        User, models.DO_NOTHING, db_column="user_id", db_constraint=False, related_name="versions"
    )

    class Meta:
        managed = False
        db_table = relation("user")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name} from {self.valid_from:%Y-%m-%d}"


class SubscriptionVersion(SubscriptionColumns, Version):
    """What a subscription was during one span of time."""

    current = models.ForeignKey(
        Subscription,
        models.DO_NOTHING,
        db_column="subscription_id",
        db_constraint=False,
        related_name="versions",
    )

    class Meta:
        managed = False
        db_table = relation("subscription")

    def __str__(self) -> str:
        return f"{self.current_id} from {self.valid_from:%Y-%m-%d}"


class UsageVersion(UsageColumns, Version):
    """What a day's usage was during one span of time."""

    current = models.ForeignKey(
        Usage, models.DO_NOTHING, db_column="usage_id", db_constraint=False, related_name="versions"
    )

    objects: ClassVar[models.Manager[UsageVersion]] = UsageVersions.as_manager()

    class Meta:
        managed = False
        db_table = relation("usage")

    def __str__(self) -> str:
        return f"{self.current_id} from {self.valid_from:%Y-%m-%d}"


class DltLoad(models.Model):
    """A finished load, as dlt notes it."""

    load_id = models.CharField("load id", max_length=64, primary_key=True)
    schema_name = models.TextField(null=True)  # noqa: DJ001
    status = models.BigIntegerField(help_text="0: completed.")
    inserted_at = models.DateTimeField()
    schema_version_hash = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        managed = False
        db_table = relation("_dlt_loads")
        verbose_name = "load"

    def __str__(self) -> str:
        return self.load_id


class LoadReceipt(models.Model):
    """What a load was: which company, on which day, how, and what it changed."""

    load = models.OneToOneField(
        DltLoad,
        models.DO_NOTHING,
        db_column="_dlt_load_id",
        db_constraint=False,
        related_name="receipt",
        primary_key=True,
    )
    dlt_id = models.TextField("row id", db_column="_dlt_id", unique=True)
    seed = models.BigIntegerField()
    users = models.BigIntegerField()
    epoch = models.DateField(help_text="The day on which the company has exactly that many users.")
    as_of = models.DateField("as of")
    dispositions = models.JSONField()
    rows = models.JSONField(help_text="Rows that the company has, by table.")
    stored = models.JSONField(
        null=True,
        help_text="Current rows, their checksum and closed versions afterwards, by table.",
    )
    version = models.TextField(null=True, help_text="The release that loaded it.")  # noqa: DJ001
    changes = models.JSONField(null=True, help_text="What they changed, by table.")
    started_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True, help_text="Empty if the command was killed.")

    class Meta:
        managed = False
        db_table = relation("_load_receipt")

    def __str__(self) -> str:
        return f"{self.load_id} as of {self.as_of}"
