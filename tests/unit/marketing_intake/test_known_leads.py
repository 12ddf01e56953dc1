"""Consent, behaviour and erasure of a lead that is known."""

from datetime import UTC, datetime, timedelta

import pytest

from marketing_intake.domain.erasure import Trace, fingerprint
from marketing_intake.domain.lead import Lead, LeadNotFound, Stamped
from marketing_intake.usecases.change_consent import ChangeConsent, change_consent
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.erase_lead import EraseLead, erase_lead
from marketing_intake.usecases.record_touchpoint import RecordTouchpoint, record_touchpoint
from shared.contracts.lead import Touchpoint
from shared.ids import LeadId, new_id

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def lead() -> Lead:
    return Lead(
        id=LeadId(new_id()),
        created_at=NOW,
        updated_at=NOW,
        version=3,
        fields={"email": Stamped("anna@x.co", NOW)},
    )


@pytest.fixture
def desk(lead: Lead) -> Desk:
    return Desk(leads={lead.id: lead}, emails={lead.id: ["anna@x.co"]}, phones={lead.id: ["+4930"]})


class TestChangeConsent:
    def test_a_withdrawal_holds_at_once_and_is_said(self, desk: Desk, lead: Lead) -> None:
        command = ChangeConsent(lead.id, "email", granted=False)

        (event,) = change_consent(command, desk, now=NOW)

        assert event.lead_version == 4
        assert event.lead.consents[0].granted is False
        assert len(desk.consents) == 1

    def test_a_stranger_has_no_consent_to_change(self, desk: Desk) -> None:
        command = ChangeConsent(LeadId(new_id()), "email", granted=False)

        with pytest.raises(LeadNotFound):
            change_consent(command, desk, now=NOW)


class TestRecordTouchpoint:
    def test_behaviour_is_said_and_changes_nothing_of_the_lead(
        self, desk: Desk, lead: Lead
    ) -> None:
        touchpoint = Touchpoint(
            touchpoint_id=new_id(),
            kind="page_view",
            channel="seo",
            source_id=new_id(),
            source_name="Site",
            occurred_at=NOW + timedelta(hours=1),
            received_at=NOW,
        )

        (event,) = record_touchpoint(RecordTouchpoint(lead.id, touchpoint), desk, now=NOW)

        assert (event.lead_version, lead.version) == (3, 3)
        assert event.touchpoint.occurred_at == NOW


class TestEraseLead:
    def test_leaves_keyed_hashes_only_and_is_said_once(self, desk: Desk, lead: Lead) -> None:
        (event,) = erase_lead(EraseLead(lead.id), desk, now=NOW)
        again = erase_lead(EraseLead(lead.id), desk, now=NOW)

        assert (event.lead_version, event.erased_at, again) == (4, NOW, [])
        assert lead.fields == {}
        assert desk.erasures == {lead.id: [Trace("email", "anna@x.co"), Trace("phone", "+4930")]}

    def test_an_erased_lead_has_no_consent_to_change(self, desk: Desk, lead: Lead) -> None:
        erase_lead(EraseLead(lead.id), desk, now=NOW)

        with pytest.raises(LeadNotFound):
            change_consent(ChangeConsent(lead.id, "email", granted=True), desk, now=NOW)

    def test_a_hash_needs_its_secret_and_its_kind(self) -> None:
        trace = Trace("email", "anna@x.co")

        known = fingerprint(trace, secret=b"one")

        assert known == fingerprint(trace, secret=b"one")
        assert known != fingerprint(trace, secret=b"two")
        assert known != fingerprint(Trace("phone", "anna@x.co"), secret=b"one")
