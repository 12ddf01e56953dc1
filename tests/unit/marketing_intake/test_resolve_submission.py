"""A submission finds or makes its lead, and reaches one outcome."""

from datetime import UTC, datetime, timedelta

from marketing_intake.domain.canonical import CanonicalLead, ConsentSaid
from marketing_intake.domain.erasure import Trace
from marketing_intake.domain.source import Source
from marketing_intake.usecases.desk import Desk
from marketing_intake.usecases.resolve_submission import ResolveSubmission, resolve_submission
from shared.contracts.event import Event
from shared.contracts.lead import LeadCaptured, LeadUpdated
from shared.ids import LeadId, new_id

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FORM = Source(id=new_id(), name="Demo form", kind="form", channel="content")


def a_submission(said: CanonicalLead, received_at: datetime = NOW, **more: object) -> object:
    return ResolveSubmission(
        submission_id=new_id(),
        source=FORM,
        said=said,
        received_at=received_at,
        new_lead_id=LeadId(new_id()),
        **more,
    )


def resolve(desk: Desk, *commands: object) -> list[Event]:
    return [event for one in commands for event in resolve_submission(one, desk, now=NOW)]


class TestANewPerson:
    said = CanonicalLead(email="anna@x.co", phone="+4930", company="ACME", message="Hi")

    def test_becomes_a_lead_with_its_touchpoint_in_one_event(self) -> None:
        desk = Desk()
        command = a_submission(self.said)

        (event,) = resolve(desk, command)

        assert isinstance(event, LeadCaptured)
        assert (event.lead_version, event.lead.company) == (1, "ACME")
        assert event.touchpoint.touchpoint_id == command.submission_id
        assert (event.touchpoint.kind, event.touchpoint.message) == ("form", "Hi")
        assert desk.resolutions[0].outcome == "created"
        assert desk.known == {"anna@x.co": event.lead_id}
        assert desk.shown == {("+4930", event.lead_id)}

    def test_who_shares_a_phone_is_suggested_as_a_duplicate(self) -> None:
        desk = Desk()

        first, second = resolve(
            desk,
            a_submission(self.said),
            a_submission(CanonicalLead(email="ben@x.co", phone="+4930")),
        )

        assert isinstance(second, LeadCaptured)
        assert [(one.lead_id, one.like_id) for one in desk.suggestions] == [
            (second.lead_id, first.lead_id)
        ]

    def test_cannot_have_acted_after_the_submission_was_received(self) -> None:
        said = CanonicalLead(email="a@b.co", submitted_at=NOW + timedelta(days=1))

        (event,) = resolve(Desk(), a_submission(said))

        assert event.touchpoint.occurred_at == NOW


class TestAKnownPerson:
    def test_is_updated_and_never_made_twice(self) -> None:
        desk = Desk()
        said = CanonicalLead(email="anna@x.co")

        events = resolve(desk, *(a_submission(said) for _ in range(3)))

        assert [type(event) for event in events] == [LeadCaptured, LeadUpdated, LeadUpdated]
        assert [event.lead_version for event in events] == [1, 2, 3]
        assert len({event.lead_id for event in events}) == 1
        assert len(desk.touchpoints) == 3

    def test_keeps_what_was_received_last(self) -> None:
        desk = Desk()
        late = a_submission(
            CanonicalLead(
                email="anna@x.co",
                company="Old",
                consents=(ConsentSaid("email", granted=True),),
            ),
            NOW - timedelta(hours=1),
        )
        new = CanonicalLead(
            email="anna@x.co", company="New", consents=(ConsentSaid("email", granted=False),)
        )

        *_, last = resolve(desk, a_submission(new), late)

        assert last.lead.company == "New"
        assert last.lead.consents[0].granted is False
        assert len(desk.consents) == 2


class TestWhatReachesNobody:
    def test_neither_email_nor_phone_is_rejected(self) -> None:
        desk = Desk()

        events = resolve(desk, a_submission(CanonicalLead(first_name="Anna")))

        assert events == []
        assert (desk.resolutions[0].outcome, desk.resolutions[0].reason) == (
            "rejected",
            "unreachable",
        )

    def test_a_double_click_is_a_duplicate_of_the_first(self) -> None:
        desk = Desk()
        said = CanonicalLead(email="anna@x.co")

        resolve(desk, *(a_submission(said, content_hash=b"same") for _ in range(2)))

        first, second = desk.resolutions
        assert (second.outcome, second.lead_id) == ("duplicate", first.lead_id)
        assert len(desk.touchpoints) == 1

    def test_the_same_content_much_later_is_no_double_click(self) -> None:
        desk = Desk()
        said = CanonicalLead(email="anna@x.co")

        resolve(
            desk,
            a_submission(said, content_hash=b"same"),
            a_submission(said, NOW + timedelta(minutes=5), content_hash=b"same"),
        )

        assert desk.resolutions[1].outcome == "updated"


class TestAnErasedPerson:
    def outcome(self, said: CanonicalLead, trace: Trace, received_at: datetime = NOW) -> str:
        desk = Desk(erased={trace: NOW})
        resolve(desk, a_submission(said, received_at))
        return desk.resolutions[0].outcome

    def test_is_not_brought_back_by_what_was_received_before(self) -> None:
        said = CanonicalLead(email="anna@x.co", phone="+4930")

        assert self.outcome(said, Trace("email", "anna@x.co")) == "rejected"
        assert self.outcome(CanonicalLead(phone="+4930"), Trace("phone", "+4930")) == "rejected"

    def test_is_a_new_lead_when_they_come_again(self) -> None:
        said = CanonicalLead(email="anna@x.co")

        later = self.outcome(said, Trace("email", "anna@x.co"), NOW + timedelta(seconds=1))

        assert later == "created"

    def test_does_not_take_along_who_shared_their_phone(self) -> None:
        said = CanonicalLead(email="ben@x.co", phone="+4930")

        assert self.outcome(said, Trace("phone", "+4930")) == "created"

    def test_takes_along_a_new_email_if_the_phone_was_their_only_trace(self) -> None:
        said = CanonicalLead(email="anna@x.co", phone="+4930")

        assert self.outcome(said, Trace("phone_alone", "+4930")) == "rejected"
