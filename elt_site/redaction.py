"""Logs and tracebacks without credentials: these travel in URLs, and logs outlive passwords."""

import logging
import re
import traceback

# To the end of the request or of the line: a password may hold quotes, and a broken request spaces.
QUERY_STRING = re.compile(r"\?\S.*(?= HTTP/\d)|\?\S.*")
# gunicorn repeats what it took for a part of a broken request line.
BROKEN_REQUEST = re.compile(r"(Invalid request from ip=\S+:).*", re.DOTALL)
# In an access log's line, up to the status that follows the quoted path.
LOGGED_PATH = re.compile(r"\?.*(?=\" \d{3} )")
# A personal token wherever it was put, say in a path, and a password in the URL of a database or
# in a Host header.
TOKEN = re.compile(r"elt_[A-Za-z0-9_-]{43}")
USER_AND_PASSWORD = re.compile(r"[^\s/:@'\"]{1,64}:[^\s/@]{1,256}@")


def without_secrets(text: str) -> str:
    """The text without what looks like a token, or like a user with a password."""
    return USER_AND_PASSWORD.sub("…@", TOKEN.sub("elt_…", text))


def redacted(text: str) -> str:
    """The text without these and without query strings."""
    return without_secrets(BROKEN_REQUEST.sub(r"\1 …", QUERY_STRING.sub("?…", text)))


def redacted_traceback(error: BaseException) -> str:
    """What Python prints of an exception: code as it stands, messages redacted."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "".join(
        f"{without_secrets(line) if line.startswith(' ') else redacted(line)}\n" for line in lines
    )


class StripQueryStrings(logging.Filter):
    """Cuts what follows a question mark out of a request or a line, and all other credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        message = record.getMessage()
        if (cut := redacted(message)) != message:
            record.msg, record.args = cut, None
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            # Where a formatter finds it instead of formatting the exception itself.
            record.exc_text = redacted_traceback(record.exc_info[1]).rstrip("\n")
        return True


class StripLoggedPath(logging.Filter):
    """The same for gunicorn's access log, whose path is decoded.

    So it may hold a question mark that came as %3F, and line breaks that would forge a line.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        line = record.getMessage().encode("unicode_escape").decode("ascii")
        record.msg, record.args = without_secrets(LOGGED_PATH.sub("?...", line)), None
        return True
