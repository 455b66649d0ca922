"""The stock way to the same four tables: `python -m benchmarks.stock_way --users N`.

Into the configured database, or the project's embedded server; where dlt's own variable names the
destination's credentials, the project is not even imported.
"""

from __future__ import annotations

import argparse
import os

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


def main() -> None:
    """Generate and load, as a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--dataset", default="stock_dataset")
    arguments = parser.parse_args()
    if CREDENTIALS not in os.environ:
        os.environ[CREDENTIALS] = database_url()
    import dlt

    from benchmarks.stock_resources import stock_company

    pipeline = dlt.pipeline(
        "stock_way", destination=dlt.destinations.postgres(), dataset_name=arguments.dataset
    )
    print(pipeline.run(stock_company(arguments.users)))


def database_url() -> str:
    """The database that the project is configured for; reading it also sets dlt's environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "elt_site.settings")
    from django.conf import settings

    if not settings.EMBEDDED:
        return str(settings.DATABASE_URL)
    from elt_site.embedded_postgres import server

    # dlt insists on a password, and this server, whose socket is the owner's alone, asks for none.
    return server.database_url().replace("@", ":none@", 1)


if __name__ == "__main__":
    main()
