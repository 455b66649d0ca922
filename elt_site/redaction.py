"""Logs without query strings: credentials may travel in them, and logs outlive passwords."""

import logging
import re

QUERY_STRING = re.compile(r"\?[^\s\"'<>]+")


class StripQueryStrings(logging.Filter):
    """Cuts every URL in a message at its question mark."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        message = record.getMessage()
        redacted = QUERY_STRING.sub("?…", message)
        if redacted != message:
            record.msg, record.args = redacted, None
        return True
