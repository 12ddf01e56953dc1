"""Two leads that are one person: of everything what was received last, under one id."""

from datetime import UTC, datetime, timedelta

import pytest

from marketing_intake.domain.erasure import Trace
from marketing_intake.domain.lead import (
    ConsentHeld,
    Lead,
    LeadIsErased,
    LeadNotFound,
    Stamped,
)
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.erase_lead import EraseLead, erase_lead
from marketing_intake.usecases.merge_leads import MergeLeads, merge_leads
from shared.contracts.lead import LeadMerged
from shared.ids import LeadId, new_id

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def a_lead(version: int, **fields: tuple[str, datetime]) -> Lead:
    stamped = {name: Stamped(*known) for name, known in fields.items()}
    return Lead(
        id=LeadId(new_id()), created_at=NOON, updated_at=NOON, version=version, fields=stamped
    )


def consent(at: datetime, *, granted: bool) -> ConsentHeld:
    return ConsentHeld("email", granted=granted, occurred_at=NOON, received_at=at)


@pytest.fixture
def goes() -> Lead:
    return a_lead(7, email=("old@x.co", NOON), company=("ACME", LATER), country=("DE", NOON))


@pytest.fixture
def stays() -> Lead:
    return a_lead(3, email=("new@x.co", LATER), company=("Acme Ltd", NOON))


@pytest.fixture
def desk(goes: Lead, stays: Lead) -> Desk:
    return Desk(leads={goes.id: goes, stays.id: stays})


class TestMergeLeads:
    def test_each_field_is_what_was_received_last_and_nothing_that_one_knew_is_lost(
        self, desk: Desk, goes: Lead, stays: Lead
    ) -> None:
        merge_leads(MergeLeads(goes.id, stays.id), desk, now=LATER)

        assert {name: known.text for name, known in stays.fields.items()} == {
            "email": "new@x.co",
            "company": "ACME",
            "country": "DE",
        }
        assert (goes.fields, goes.merged_into) == ({}, stays.id)

    @pytest.mark.parametrize(("theirs", "ours"), [(LATER, NOON), (NOON, LATER)])
    def test_the_consent_that_was_received_last_holds(
        self, theirs: datetime, ours: datetime, desk: Desk, goes: Lead, stays: Lead
    ) -> None:
        goes.consents["email"] = consent(theirs, granted=False)
        stays.consents["email"] = consent(ours, granted=True)

        merge_leads(MergeLeads(goes.id, stays.id), desk, now=LATER)

        assert stays.consents["email"].received_at == LATER

    def test_it_is_said_on_both_streams_in_a_version_above_both(
        self, desk: Desk, goes: Lead, stays: Lead
    ) -> None:
        said = merge_leads(MergeLeads(goes.id, stays.id), desk, now=LATER)

        assert all(isinstance(event, LeadMerged) for event in said)
        assert [event.subject for event in said] == [goes.id, stays.id]
        assert {
            (event.merged_id, event.surviving_id, event.lead_version, event.lead.email)
            for event in said
        } == {(goes.id, stays.id, 8, "new@x.co")}

    def test_a_stranger_is_merged_with_nobody(self, desk: Desk, stays: Lead) -> None:
        with pytest.raises(LeadNotFound):
            merge_leads(MergeLeads(LeadId(new_id()), stays.id), desk, now=LATER)

    def test_who_was_erased_is_merged_with_nobody(
        self, desk: Desk, goes: Lead, stays: Lead
    ) -> None:
        erase_lead(EraseLead(stays.id), desk, now=NOON)

        with pytest.raises(LeadIsErased):
            merge_leads(MergeLeads(goes.id, stays.id), desk, now=LATER)

    def test_erasure_is_said_by_every_name_and_remembers_every_address(
        self, desk: Desk, goes: Lead, stays: Lead
    ) -> None:
        desk.aliases[stays.id] = [goes.id]
        desk.emails[stays.id] = ["new@x.co", "old@x.co"]

        said = erase_lead(EraseLead(stays.id), desk, now=LATER)

        assert [event.subject for event in said] == [stays.id, goes.id]
        assert desk.erasures[stays.id] == [Trace("email", "new@x.co"), Trace("email", "old@x.co")]
