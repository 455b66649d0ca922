"""SERVE, people: dates as ISO 8601, as the dataset itself writes them."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i"
