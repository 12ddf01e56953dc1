"""What a lead keeps: what was received last, whenever it resolves."""

from datetime import UTC, datetime, timedelta

from marketing_intake.domain.lead import ConsentHeld, Lead
from shared.ids import LeadId, new_id

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(hours=1)


def a_lead() -> Lead:
    return Lead(id=LeadId(new_id()), created_at=NOON, updated_at=NOON)


def a_consent(received_at: datetime, *, granted: bool) -> ConsentHeld:
    return ConsentHeld("email", granted, occurred_at=received_at, received_at=received_at)


class TestLearning:
    def test_what_was_received_earlier_never_overwrites(self) -> None:
        lead = a_lead()
        lead.learn({"company": "New"}, received_at=NOON)

        lead.learn({"company": "Old", "country": "DE"}, received_at=EARLIER)

        assert (lead.text("company"), lead.text("country")) == ("New", "DE")

    def test_what_was_received_later_does(self) -> None:
        lead = a_lead()
        lead.learn({"company": "Old"}, received_at=EARLIER)

        lead.learn({"company": "New"}, received_at=NOON)

        assert lead.text("company") == "New"

    def test_a_withdrawal_is_not_undone_by_a_late_consent(self) -> None:
        lead = a_lead()
        lead.consent(a_consent(NOON, granted=False))

        lead.consent(a_consent(EARLIER, granted=True))

        assert lead.consents["email"].granted is False

    def test_erasing_leaves_an_id_and_a_higher_version(self) -> None:
        lead = a_lead()
        lead.learn({"email": "a@b.co"}, received_at=NOON)

        lead.erase(now=NOON)

        assert (lead.fields, lead.version, lead.erased_at) == ({}, 1, NOON)
