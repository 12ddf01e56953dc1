"""Titles of tasks: plain text with a few named places, never a format string.

A place is `{name}`. Which places a playbook may use is the playbook's business.
"""

import re
from collections.abc import Collection, Mapping

LONGEST = 300

_PLACE = re.compile(r"\{([a-z_]{1,30})\}")
_BRACE = re.compile(r"[{}]")


class UnknownPlace(Exception):
    """A template has braces that are none of the places it may use."""

    def __init__(self, allowed: Collection[str]) -> None:
        """Say which places there are."""
        places = ", ".join(f"{{{name}}}" for name in sorted(allowed))
        super().__init__(f"Braces may only stand around a place that this event has: {places}.")


def check(template: str, *, allowed: Collection[str]) -> None:
    """Refuse a template that could not be filled in.

    Raises:
        UnknownPlace: a brace is left over, or stands around another word.
    """
    rest = _PLACE.sub(lambda place: "" if place[1] in allowed else place[0], template)
    if _BRACE.search(rest):
        raise UnknownPlace(allowed)


def fill_in(template: str, *, values: Mapping[str, str]) -> str:
    """Return the title, in one line; what is filled in is not looked at again."""
    filled = _PLACE.sub(lambda place: values.get(place[1], place[0]), template)
    return " ".join(filled.split())[:LONGEST]
