"""EXTRACT, the first step: a synthetic company, made of nothing but its arguments.

Pure: no Django, no dlt, no clock, no global random state. Start reading at `company`.
"""

from .company import PARTITION_USERS, Company, CompanyError
from .tables import SCHEMAS, TABLES

__all__ = ["PARTITION_USERS", "SCHEMAS", "TABLES", "Company", "CompanyError"]
