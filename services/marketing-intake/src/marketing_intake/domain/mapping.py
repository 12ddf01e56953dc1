"""From a sender's fields to the canonical lead: the source's own mapping, then what is customary.

A mapping says which of the sender's fields is which canonical one. Where two name the same, the
one that stands first and can be read wins; what is left over is kept as an answer.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from marketing_intake.domain.canonical import (
    CLICK_IDS,
    TEXT_LIMITS,
    UTM,
    CanonicalLead,
    ConsentSaid,
)
from marketing_intake.domain.customary import ANSWERED, RANKED
from marketing_intake.domain.fields import flat_fields
from marketing_intake.domain.source import Source
from marketing_intake.domain.values import (
    clean,
    country_of,
    email_of,
    granted_by,
    moment_of,
    split_name,
)

ANSWER = "answer"
IGNORE = "ignore"
CONSENT = "consent."
MAX_ANSWER = 2_000
MAX_ANSWERS_TOTAL = 50_000
MAX_TRACKING = 1_500
MAX_CONSENTS = 20

Phones = Callable[[str, str | None], str | None]
"""From a phone number as written, and the region where it was written, to E.164."""

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,49}")
_ZERO_IS_NOTHING = frozenset({"campaign_id", "adset_id", "ad_id", "form_id"})
_TEXTS = ("company", "job_title", "message", "campaign_id", "form_id", "page_url", "referrer")


@dataclass(frozen=True, slots=True)
class _Claim:
    """One of the sender's fields, and how early its table names it."""

    rank: int
    name: str
    text: str


def is_target(target: str) -> bool:
    """Whether a mapping may name this as a canonical field."""
    family, dot, member = target.partition(".")
    if dot:
        members = {"utm": UTM, "click_ids": CLICK_IDS}
        return member in members.get(family, ()) or (family == "consent" and is_purpose(member))
    return target in TEXT_LIMITS or target in {ANSWER, IGNORE}


def is_purpose(purpose: str) -> bool:
    """Whether this can be the name of what a consent is for, such as `email_marketing`."""
    return _PURPOSE.fullmatch(purpose) is not None


def read_fields(fields: Mapping[str, object], *, source: Source, phones: Phones) -> CanonicalLead:
    """Return what a submission of a source says."""
    reading = _Reading(flat_fields(fields, kind=source.kind), source)
    page_url, referrer = reading.take("page_url"), reading.take("referrer")
    first, last = _names(reading)
    texts = {name: reading.take(name) for name in _TEXTS if name not in {"page_url", "referrer"}}
    return CanonicalLead(
        **texts,
        email=reading.take("email", email_of),
        phone=reading.take("phone", lambda text: phones(text, source.phone_region)),
        first_name=first,
        last_name=last,
        country=reading.take("country", country_of),
        submitted_at=_moment(reading),
        page_url=page_url,
        referrer=referrer,
        utm=_tracking(reading, "utm", page_url),
        click_ids=_tracking(reading, "click_ids", page_url),
        consents=_consents(fields, reading, source),
        answers=reading.answers(),
    )


class _Reading:
    """One submission while it is read: which field claims to be what, and what is left over."""

    def __init__(self, flat: Mapping[str, str], source: Source) -> None:
        self._claims: dict[str, list[_Claim]] = {}
        own = {_normal(name): (rank, to) for rank, (name, to) in enumerate(source.mapping.items())}
        for name, text in flat.items():
            normal = _normal(name)
            rank, target = own.get(normal) or _customary(normal, source)
            self._claims.setdefault(target, []).append(_Claim(rank, name, text))
        for claims in self._claims.values():
            if len(claims) > 1:
                claims.sort(key=lambda claim: claim.rank)

    def take(self, target: str, read: Callable[[str], str | None] | None = None) -> str | None:
        """Return the first readable text that claims to be `target`; it is then used up."""
        claims = self._claims.get(target, [])
        for claim in claims:
            text = clean(claim.text, limit=TEXT_LIMITS.get(target, MAX_TRACKING))
            if target in _ZERO_IS_NOTHING and text == "0":
                continue
            value = read(text) if read else text
            if value:
                claims.remove(claim)
                return value
        return None

    def names(self, family: str) -> list[str]:
        """Return the members of a family (`utm`, `click_ids`, `consent`) that were sent."""
        prefix = f"{family}."
        return [name.removeprefix(prefix) for name in self._claims if name.startswith(prefix)]

    def answers(self) -> dict[str, str]:
        """Return what was not used up, by the sender's own names, as far as there is room."""
        left = [claim for to, claims in self._claims.items() if to != IGNORE for claim in claims]
        kept: dict[str, str] = {}
        room = MAX_ANSWERS_TOTAL
        for claim in left:
            text = clean(claim.text, limit=MAX_ANSWER)
            room -= len(text) + len(claim.name)
            if text and room >= 0:
                kept[claim.name.removeprefix("answers.")] = text
        return kept


@lru_cache(maxsize=4096)
def _normal(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip()).lower()


def _customary(name: str, source: Source) -> tuple[int, str]:
    known = RANKED[source.kind].get(name)
    if known:
        return known
    if name.startswith("_") or name == _normal(source.honeypot):
        return 0, IGNORE
    tracked = _tracked(name)
    if tracked:
        return 0, tracked
    answered = source.kind in ANSWERED or name.startswith("answers.")
    return 0, ANSWER if answered else IGNORE


def _tracked(name: str) -> str | None:
    bare = name.rpartition(".")[2]
    if bare in CLICK_IDS:
        return f"click_ids.{bare}"
    parameter = bare.removeprefix("utm_")
    named = bare.startswith("utm_") or name.startswith("utm.")
    return f"utm.{parameter}" if named and parameter in UTM else None


def _tracking(reading: _Reading, family: str, page_url: str | None) -> dict[str, str]:
    """Return utm parameters or click ids: those sent as fields, then those of the page's query."""
    found = {member: reading.take(f"{family}.{member}") for member in reading.names(family)}
    for name, text in _query(page_url):
        tracked = _tracked(name.lower())
        if tracked and tracked.startswith(f"{family}."):
            found.setdefault(tracked.partition(".")[2], clean(text, limit=MAX_TRACKING))
    return {member: text for member, text in found.items() if text}


def _query(page_url: str | None) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(page_url or "").query, max_num_fields=100)
    except ValueError:
        return []


def _names(reading: _Reading) -> tuple[str | None, str | None]:
    first, last = reading.take("first_name"), reading.take("last_name")
    full = reading.take("full_name")
    if full and not (first or last):
        first, last = split_name(full)
    return first, last


def _moment(reading: _Reading) -> datetime | None:
    text = reading.take("submitted_at")
    return moment_of(text) if text else None


def _consents(
    fields: Mapping[str, object], reading: _Reading, source: Source
) -> tuple[ConsentSaid, ...]:
    """Return the consents that were said; what the source grants by itself only where no box asks.

    Absence is not consent: a box that is mapped but was not ticked says nothing.
    """
    words = {default.purpose: default.text for default in source.default_consents}
    said = {consent.purpose: consent for consent in _listed(fields.get("consents"))}
    for purpose in reading.names("consent"):
        granted = granted_by(reading.take(f"{CONSENT}{purpose}") or "")
        if granted is not None:
            said.setdefault(purpose, ConsentSaid(purpose, granted, words.get(purpose)))
    boxes = {to.removeprefix(CONSENT) for to in source.mapping.values() if to.startswith(CONSENT)}
    for default in source.default_consents:
        if default.purpose not in boxes:
            fallback = ConsentSaid(default.purpose, default.granted, default.text)
            said.setdefault(default.purpose, fallback)
    return tuple(said.values())


def _listed(consents: object) -> list[ConsentSaid]:
    items = cast("list[object]", consents)[:MAX_CONSENTS] if isinstance(consents, list) else []
    read = [_listed_one(cast("Mapping[str, object]", item)) for item in items if _is_record(item)]
    return [consent for consent in read if consent]


def _is_record(item: object) -> bool:
    return isinstance(item, Mapping)


def _listed_one(item: Mapping[str, object]) -> ConsentSaid | None:
    purpose, granted = item.get("purpose"), item.get("granted")
    if not (isinstance(purpose, str) and is_purpose(purpose) and isinstance(granted, bool)):
        return None
    text, occurred = item.get("text"), item.get("occurred_at")
    return ConsentSaid(
        purpose,
        granted,
        clean(text, limit=MAX_ANSWER) if isinstance(text, str) else None,
        moment_of(occurred) if isinstance(occurred, str) else None,
    )
