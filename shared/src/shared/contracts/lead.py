"""What marketing-intake says, on `handoff.leads.v1` and (behaviour only) `handoff.touchpoints.v1`.

`LeadCaptured` holds the touchpoint that made the lead, so no `TouchpointRecorded` stands beside
it. `LeadCard` is what other services keep of a lead; it only ever moves to a higher version.
"""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.event import LeadEvent, Moment, Record


class Consent(Record):
    """What a person allowed or withdrew, for one purpose; the latest `occurred_at` holds."""

    purpose: str
    granted: bool
    occurred_at: Moment
    text: str | None = None


class LeadCard(Record):
    """A lead as the other services need to know it: who, how to reach them, what they allow."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    job_title: str | None = None
    country: str | None = None
    consents: tuple[Consent, ...] = ()


class Touchpoint(Record):
    """One recorded contact of a person with marketing.

    `kind` is the field's own word: `form`, `ad_form`, `api`, `import`, `page_view`, ... `channel`
    is one of advertising, content, social, email, seo, pr, promotion, referral, direct.
    """

    touchpoint_id: UUID
    kind: str
    channel: str
    source_id: UUID
    source_name: str
    occurred_at: Moment
    received_at: Moment
    campaign_id: str | None = None
    form_id: str | None = None
    page_url: str | None = None
    referrer: str | None = None
    message: str | None = None
    utm: dict[str, str] = Field(default_factory=dict)
    click_ids: dict[str, str] = Field(default_factory=dict)
    answers: dict[str, str] = Field(default_factory=dict)


class LeadCaptured(LeadEvent):
    """A person became known: the first submission that resolved to this lead."""

    kind: ClassVar[str] = "lead.captured"

    lead: LeadCard
    touchpoint: Touchpoint


class LeadUpdated(LeadEvent):
    """A known person came again, or their data was corrected (then there is no touchpoint)."""

    kind: ClassVar[str] = "lead.updated"

    lead: LeadCard
    touchpoint: Touchpoint | None = None


class ConsentChanged(LeadEvent):
    """A person gave or withdrew consent without a new submission."""

    kind: ClassVar[str] = "lead.consent_changed"

    lead: LeadCard


class LeadMerged(LeadEvent):
    """Two leads are one person: `merged_id` is an alias of `surviving_id` from now on.

    Said on the stream of each of the two, in one commit; either alone says it all. `lead` is the
    card of the surviving lead, `lead_version` its version: above every one that either had before.
    """

    kind: ClassVar[str] = "lead.merged"

    merged_id: UUID
    surviving_id: UUID
    lead: LeadCard
    merged_at: Moment


class LeadErased(LeadEvent):
    """A person is to be forgotten everywhere: overtakes whatever is parked, blanks it."""

    kind: ClassVar[str] = "lead.erased"
    erases: ClassVar[bool] = True

    erased_at: Moment


class TouchpointRecorded(LeadEvent):
    """A known lead did something that is not a form: a visit, a click, an open."""

    kind: ClassVar[str] = "touchpoint.recorded"

    touchpoint: Touchpoint
