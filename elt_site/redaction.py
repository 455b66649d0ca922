"""Logs without query strings: credentials may travel in them, and logs outlive passwords."""

import logging
import re

# To the end of the request or of the line: a password may hold quotes, and a broken request spaces.
QUERY_STRING = re.compile(r"\?\S.*(?= HTTP/\d)|\?\S.*")
# gunicorn repeats what it took for a part of a broken request line.
BROKEN_REQUEST = re.compile(r"(Invalid request from ip=\S+:).*", re.DOTALL)
# In an access log's line, up to the status that follows the quoted path.
LOGGED_PATH = re.compile(r"\?.*(?=\" \d{3} )")


class StripQueryStrings(logging.Filter):
    """Cuts what follows a question mark out of a request or a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        message = record.getMessage()
        redacted = BROKEN_REQUEST.sub(r"\1 …", QUERY_STRING.sub("?…", message))
        if redacted != message:
            record.msg, record.args = redacted, None
        return True


class StripLoggedPath(logging.Filter):
    """The same for gunicorn's access log, whose path is decoded.

    So it may hold a question mark that came as %3F, and line breaks that would forge a line.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        line = record.getMessage().encode("unicode_escape").decode("ascii")
        record.msg, record.args = LOGGED_PATH.sub("?...", line), None
        return True
