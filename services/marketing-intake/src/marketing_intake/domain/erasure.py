"""What stays of an erased person: keyed hashes, so that a late submission is known to be theirs.

A phone that was a person's only trace also speaks for submissions that show another e-mail with
it; a phone that stood beside an e-mail speaks only for those without one.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import NamedTuple


class Trace(NamedTuple):
    """A kind of identity and its value."""

    kind: str
    value: str


def traces_of_lead(*, emails: Iterable[str], phones: Iterable[str]) -> list[Trace]:
    """Return what is to be remembered, hashed, of a person who is erased."""
    shown, addresses = list(phones), [Trace("email", email) for email in emails]
    traces = [Trace("phone", phone) for phone in shown]
    if addresses:
        return addresses + traces
    return traces + [Trace("phone_alone", phone) for phone in shown]


def traces_of_submission(*, email: str | None, phone: str | None) -> list[Trace]:
    """Return by which traces a submission could be an erased person's."""
    if email is None:
        return [Trace("phone", phone)] if phone else []
    return [Trace("email", email)] + ([Trace("phone_alone", phone)] if phone else [])


def fingerprint(trace: Trace, *, secret: bytes) -> bytes:
    """Return the keyed hash of a trace: comparable, and nothing that could be read back."""
    return hmac.new(secret, f"{trace.kind}\0{trace.value}".encode(), hashlib.sha256).digest()
