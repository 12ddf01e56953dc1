"""`ETag` and `If-Match`: who edits a record says which version they saw, so no edit is lost.

The version is the record's own counter; a route compares it under the lock of its subject.
"""

import re
from typing import Annotated

from fastapi import Header

from shared.web import faults
from shared.web.problems import FieldError, Problem

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=500,
        description='the ETag of the version that you saw, such as "7"; or * for any',
    ),
]
"""Write `if_match: IfMatch = None`."""

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}(?:\s*,\s*{_TAG})*\s*")


def etag(version: int) -> str:
    """Return the `ETag` of a version."""
    return f'"{version}"'


def check(if_match: str | None, version: int, *, demanded: bool = True) -> None:
    """Return if the caller saw the present version, or gave `*`.

    Raises:
        Problem: 412 (saw another), 428 (said nothing, where it is demanded), 422 (unreadable).
    """
    if if_match is None:
        if demanded:
            raise _missing()
        return
    if if_match.strip() == "*":
        return
    if _TAGS.fullmatch(if_match) is None:
        raise _unreadable()
    if etag(version) not in re.findall(_TAG, if_match):
        raise _changed(version)


def _missing() -> Problem:
    return Problem(
        428,
        "precondition-required",
        "If-Match is missing",
        "Send If-Match with the ETag of the version that you saw.",
    )


def _unreadable() -> Problem:
    detail = 'If-Match must be an ETag in double quotes, such as "7", or *'
    return faults.refused(FieldError("header", "If-Match", "if_match", detail))


def _changed(version: int) -> Problem:
    return Problem(
        412,
        "changed-meanwhile",
        "The record was changed meanwhile",
        "Read it again, look at what changed, and send If-Match with its new ETag.",
        headers={"ETag": etag(version)},
    )
