"""Single values as senders write them, brought to the form in which they are kept.

Forgiving on purpose: a form or an ad platform is not told off, what cannot be read is None.
"""

import re
from datetime import UTC, datetime

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s.<>,;\"]+")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_REFUSALS = frozenset({"0", "no", "false", "off", "n", "f", "none", "denied", "refused"})
_MAX_EMAIL = 254
_COUNTRY_LETTERS = 2


def clean(text: str, *, limit: int) -> str:
    """Return text that the database takes: no NUL, no half characters, trimmed, cut at `limit`."""
    if text.isprintable() and len(text) <= limit:
        return text.strip()
    return _CONTROL.sub("", text[: limit * 2]).strip()[:limit]


def email_of(text: str) -> str | None:
    """Return the normal form of an e-mail address, by which a person is known again."""
    address = text.strip().removeprefix("mailto:").lower()
    known = len(address) <= _MAX_EMAIL and _EMAIL.fullmatch(address)
    return address if known else None


def country_of(text: str) -> str | None:
    """Return an ISO 3166-1 alpha-2 code; a country's name is not guessed at."""
    code = text.strip().upper()
    known = len(code) == _COUNTRY_LETTERS and code.isascii() and code.isalpha()
    return code if known else None


def moment_of(text: str) -> datetime | None:
    """Return a point in time from ISO 8601 text; without a zone it is read as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC) if _EARLIEST <= aware <= _LATEST else None


def granted_by(text: str) -> bool | None:
    """Return what a consent box says: its own words of refusal, nothing, or yes."""
    word = text.strip().lower()
    return None if not word else word not in _REFUSALS


def split_name(full: str) -> tuple[str | None, str | None]:
    """Return first and last name of a full one: `Anna Maria Schmidt` or `Schmidt, Anna Maria`."""
    last, comma, first = full.partition(",")
    if not comma:
        first, _, last = full.strip().rpartition(" ")
    if not first:
        first, last = last, ""
    return first.strip() or None, last.strip() or None
