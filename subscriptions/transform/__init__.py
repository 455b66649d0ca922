"""TRANSFORM (step 3): a dbt project, and how `manage.py` runs it beside the marts in service."""
