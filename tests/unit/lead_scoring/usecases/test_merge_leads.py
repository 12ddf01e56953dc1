"""Two leads that are one person: one history, one score, one qualification."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lead_scoring.domain.lead import Qualification
from lead_scoring.domain.person import Consent, Person
from lead_scoring.domain.rating import Touchpoint
from lead_scoring.usecases.desk import Desk
from lead_scoring.usecases.merge_leads import MergeLeads, merge_leads
from lead_scoring.usecases.note_merged_deal import NoteMergedDeal, note_merged_deal
from lead_scoring.usecases.note_open_deal import NoteOpenDeal, note_open_deal
from lead_scoring.usecases.record_outcome import RecordOutcome, record_outcome
from lead_scoring.usecases.score_lead import ScoreLead, score_lead
from shared.contracts.event import Event
from shared.contracts.score import LeadDisqualified, LeadQualified, LeadScored
from shared.ids import new_id

Command = Callable[..., ScoreLead]

GOES, STAYS, THEIRS, OURS = new_id(), new_id(), new_id(), new_id()
ADA = Person(email="ada@lovelace.example", company="Engines")
NO_CONSENT = Consent("contact", granted=False, occurred_at=datetime(2026, 3, 1, tzinfo=UTC))
MERGED = 9


def merge(desk: Desk, now: datetime, person: Person = ADA) -> list[Event]:
    command = MergeLeads(
        lead_id=STAYS, merged_id=GOES, event_id=new_id(), version=MERGED, person=person
    )
    return merge_leads(command, desk, now=now)


def end(desk: Desk, deal: object, how: Qualification, at: datetime) -> list[Event]:
    return record_outcome(RecordOutcome(STAYS, deal, new_id(), how, at), desk, now=at)  # type: ignore[arg-type]


@pytest.fixture
def qualified(desk: Desk, heard: Command, now: datetime) -> Callable[..., None]:
    """Let a lead qualify: 30 points for the company, 30 for the form."""

    def build(*leads: object) -> None:
        for lead in leads:
            (said,) = score_lead(heard(lead, Person(email="a@b.co", company="E")), desk, now=now)
            assert isinstance(said, LeadQualified)

    return build


class TestOneScore:
    def test_what_both_did_counts_once_each_and_under_the_caps_of_one(
        self, desk: Desk, heard: Command, a_touchpoint: Callable[..., Touchpoint], now: datetime
    ) -> None:
        for lead in (GOES, STAYS):
            score_lead(heard(lead, Person(email="a@b.co"), quiet=True), desk, now=now)
            for _ in range(2):
                visit = a_touchpoint(kind="page_view")
                score_lead(ScoreLead(lead, new_id(), 0, touchpoint=visit), desk, now=now)

        (said,) = merge(desk, now)

        assert isinstance(said, LeadQualified)
        assert (said.lead_id, said.lead_version) == (STAYS, MERGED)
        assert (said.score.fit, said.score.engagement) == (30, 30)
        assert GOES not in desk.leads
        assert desk.leads[STAYS].touchpoints == 4

    def test_two_that_do_not_qualify_alone_may_do_so_together(
        self, desk: Desk, heard: Command, a_touchpoint: Callable[..., Touchpoint], now: datetime
    ) -> None:
        score_lead(heard(STAYS, Person(email="a@b.co", company="E"), quiet=True), desk, now=now)
        form = a_touchpoint(kind="form")
        score_lead(ScoreLead(GOES, new_id(), 1, Person(email="a@b.co"), form), desk, now=now)

        (said,) = merge(desk, now)

        assert isinstance(said, LeadQualified)

    def test_a_lead_that_was_never_heard_of_brings_nothing_and_is_no_fault(
        self, desk: Desk, now: datetime
    ) -> None:
        (said,) = merge(desk, now)

        assert isinstance(said, LeadScored)
        assert said.score.fit == 30


class TestOneQualification:
    def test_a_lead_that_sales_has_is_not_handed_over_again(
        self, desk: Desk, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(GOES, STAYS)

        (said,) = merge(desk, now)

        assert isinstance(said, LeadScored)
        assert desk.leads[STAYS].qualification is Qualification.QUALIFIED

    def test_the_later_end_of_two_holds(
        self, desk: Desk, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(GOES, STAYS)
        end(desk, OURS, Qualification.WON, now + timedelta(hours=1))
        lost = RecordOutcome(GOES, THEIRS, new_id(), Qualification.LOST, now + timedelta(hours=2))
        record_outcome(lost, desk, now=now)

        merge(desk, now)

        assert desk.leads[STAYS].qualification is Qualification.LOST
        assert desk.leads[STAYS].ended_at == now + timedelta(hours=2)

    def test_consent_that_was_withdrawn_by_the_one_forbids_the_deal_of_the_other(
        self, desk: Desk, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(STAYS)

        said = merge(desk, now, Person(email="a@b.co", company="E", consents=(NO_CONSENT,)))

        assert [type(event) for event in said] == [LeadScored, LeadDisqualified]

    def test_a_cause_that_does_not_hold_for_the_person_is_taken_back(
        self, desk: Desk, heard: Command, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(GOES, STAYS)
        withdrawn = Person(email="a@b.co", company="E", consents=(NO_CONSENT,))
        score_lead(heard(GOES, withdrawn, version=2, quiet=True), desk, now=now)

        (said,) = merge(desk, now)

        assert isinstance(said, LeadQualified)


class TestTwoDeals:
    def open(self, desk: Desk, deal: object, now: datetime) -> None:
        note_open_deal(NoteOpenDeal(STAYS, deal, new_id()), desk, now=now)  # type: ignore[arg-type]

    def test_the_lead_is_with_sales_until_the_last_deal_has_ended(
        self, desk: Desk, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(STAYS)
        self.open(desk, OURS, now)
        self.open(desk, THEIRS, now)

        end(desk, THEIRS, Qualification.LOST, now + timedelta(hours=1))
        between = desk.leads[STAYS].qualification
        end(desk, OURS, Qualification.WON, now + timedelta(hours=2))

        assert between is Qualification.QUALIFIED
        assert desk.leads[STAYS].qualification is Qualification.WON

    @pytest.mark.parametrize("first", ["gave_way", "end"])
    def test_a_deal_that_gave_way_is_waited_for_no_more(
        self, first: str, desk: Desk, qualified: Callable[..., None], now: datetime
    ) -> None:
        qualified(STAYS)
        self.open(desk, OURS, now)
        self.open(desk, THEIRS, now)
        gave_way = NoteMergedDeal(STAYS, THEIRS, new_id())

        if first == "gave_way":
            note_merged_deal(gave_way, desk, now=now)
        end(desk, OURS, Qualification.LOST, now + timedelta(hours=2))
        if first == "end":
            note_merged_deal(gave_way, desk, now=now)

        assert desk.leads[STAYS].qualification is Qualification.LOST
        assert desk.leads[STAYS].deals == frozenset()
