"""A source: one form, one ad account or one API client, with its own key and mapping.

What a source's fields mean is `mapping`'s business; who may post to it is the edge's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

SourceKind = Literal["api", "form", "google_ads"]
Channel = Literal[
    "advertising",
    "content",
    "social",
    "email",
    "seo",
    "pr",
    "promotion",
    "referral",
    "direct",
]

DEFAULT_HONEYPOT = "_gotcha"
TOUCHPOINT_KINDS: Mapping[SourceKind, str] = {
    "api": "api",
    "form": "form",
    "google_ads": "ad_form",
}


@dataclass(frozen=True, slots=True)
class DefaultConsent:
    """What everybody who comes by a source was told and agreed to, or the words of its box."""

    purpose: str
    granted: bool = True
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where leads come from, and how to read what it sends."""

    id: UUID
    name: str
    kind: SourceKind
    channel: Channel
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    success_urls: tuple[str, ...] = ()
    honeypot: str = DEFAULT_HONEYPOT
    phone_region: str | None = None
    default_consents: tuple[DefaultConsent, ...] = ()
    google_key_hash: bytes | None = None

    @property
    def touchpoint_kind(self) -> str:
        """The word under which a submission of this source is recorded as a touchpoint."""
        return TOUCHPOINT_KINDS[self.kind]
