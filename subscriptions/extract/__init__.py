"""EXTRACT, the first step: a synthetic company, made of nothing but its arguments.

Pure: no Django, no dlt, no clock, no global random state. Start reading at `company`.
"""

from subscriptions.extract.company import PARTITION_USERS, Company, CompanyError
from subscriptions.extract.growth import OPENING_DATE
from subscriptions.extract.tables import SCHEMAS, TABLES

__all__ = ["OPENING_DATE", "PARTITION_USERS", "SCHEMAS", "TABLES", "Company", "CompanyError"]
