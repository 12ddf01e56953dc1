"""The rule by which a submission finds its lead."""

from marketing_intake.domain.identity import Identities
from shared.ids import LeadId, new_id

PHONE = "+4930123456"


def a_lead() -> LeadId:
    return LeadId(new_id())


class TestFindingALead:
    def test_a_known_email_is_that_lead_whatever_the_phone(self) -> None:
        anna, ben = a_lead(), a_lead()
        book = Identities()
        book.learn(anna, email="anna@x.co", phone=None)
        book.learn(ben, email=None, phone=PHONE)

        assert book.find(email="anna@x.co", phone=PHONE).lead_id == anna

    def test_a_new_email_joins_the_only_holder_of_the_phone_who_has_no_email(self) -> None:
        anna = a_lead()
        book = Identities()
        book.learn(anna, email=None, phone=PHONE)

        assert book.find(email="anna@x.co", phone=PHONE).lead_id == anna

    def test_a_new_email_never_joins_a_lead_that_has_another(self) -> None:
        anna = a_lead()
        book = Identities()
        book.learn(anna, email="anna@x.co", phone=PHONE)

        match = book.find(email="ben@x.co", phone=PHONE)

        assert match.lead_id is None
        assert match.suggested == (anna,)

    def test_without_email_the_only_one_that_ever_showed_the_phone_is_meant(self) -> None:
        anna = a_lead()
        book = Identities()
        book.learn(anna, email="anna@x.co", phone=PHONE)

        assert book.find(email=None, phone=PHONE).lead_id == anna

    def test_a_phone_that_two_have_shown_is_nobodys(self) -> None:
        anna, ben = a_lead(), a_lead()
        book = Identities()
        book.learn(anna, email="anna@x.co", phone=PHONE)
        book.learn(ben, email=None, phone=PHONE)

        assert book.find(email=None, phone=PHONE).suggested == (anna, ben)
        assert book.find(email="new@x.co", phone=PHONE).lead_id is None

    def test_a_stranger_is_like_nobody(self) -> None:
        match = Identities().find(email="new@x.co", phone=PHONE)

        assert (match.lead_id, match.suggested) == (None, ())
