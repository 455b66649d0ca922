"""Make the tables of personal tokens and of failed attempts to sign in."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Failure",
            fields=[
                (
                    "who",
                    models.TextField(
                        help_text="The scope, and whom it counts within it.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("failures", models.IntegerField()),
                ("until", models.DateTimeField(help_text="When counting begins anew.")),
            ],
            options={
                "default_permissions": (),
            },
        ),
        # Worth no write-ahead log, and empty again after a crash.
        migrations.RunSQL("ALTER TABLE access_failure SET UNLOGGED", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Token",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What uses it, such as “Nightly report”.", max_length=100
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        editable=False,
                        help_text="Enough to recognise it by.",
                        max_length=8,
                        verbose_name="begins with",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "created",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("expires", models.DateTimeField(editable=False)),
                (
                    "last_used",
                    models.DateTimeField(editable=False, help_text="To the minute.", null=True),
                ),
                ("revoked", models.DateTimeField(editable=False, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "ordering": ["-created", "-pk"],
            },
        ),
    ]
