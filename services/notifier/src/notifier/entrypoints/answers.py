"""Answers that more than one route gives."""

from typing import TypeVar

from shared.web import faults
from shared.web.problems import FieldError, Problem

T = TypeVar("T")


def found(record: T | None, what: str) -> T:
    """Return the record that somebody named.

    Raises:
        Problem: 404, there is none of that id.
    """
    if record is None:
        raise Problem(404, "not-found", f"No such {what}", f"There is no {what} of this id.")
    return record


def wrong(field: str, advice: Exception) -> Problem:
    """Return the problem for a field of the body that the domain refused."""
    return faults.refused(FieldError("body", f"#/{field}", "refused", f"{field}: {advice}"))
