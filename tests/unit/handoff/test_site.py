"""Where the commands look, and which keys they give."""

import os
from pathlib import Path
from urllib.parse import quote_plus
from uuid import UUID

import pytest
import trustme

from handoff.keys import SCOPES, WrongScopes, check_scopes
from handoff.layout import Layout
from handoff.services import SERVICES
from handoff.site import NotFound, find_site
from shared.settings import WrongSetting

NOWHERE = Layout(root=Path("/nowhere"), run=Path("/nowhere"))


def test_a_remote_installation_is_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://operations:secret@db/notifier\n")
    site = find_site(
        {
            "HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING": "postgresql://operations@db/scoring",
            "HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER_FILE": str(tmp_path / "url"),
            "HANDOFF_API_URL_NOTIFIER": "http://notifier:8000",
        },
        NOWHERE,
    )

    assert site.database("lead-scoring") == "postgresql://operations@db/scoring"
    assert site.database("notifier") == "postgresql://operations:secret@db/notifier"
    assert site.api("notifier") == "http://notifier:8000"
    assert site.kafka is None


def test_an_address_in_a_file_is_what_the_file_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, authority = tmp_path / "url", tmp_path / "authority.pem"
    file.write_text("postgresql://operations:first@db/notifier\n")
    trustme.CA().cert_pem.write_to_path(authority)
    monkeypatch.setenv("HANDOFF_DATABASE_CA", str(authority))
    site = find_site({"HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER_FILE": str(file)}, NOWHERE)
    file.write_text("postgresql://operations:second@db/notifier\n")

    assert site.database("notifier") == (
        "postgresql://operations:second@db/notifier"
        f"?sslmode=verify-full&sslrootcert={quote_plus(str(authority))}"
    )


def test_what_the_environment_lacks_is_named_by_its_variable() -> None:
    site = find_site({"HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER": "postgresql://x/y"}, NOWHERE)

    with pytest.raises(NotFound, match="HANDOFF_OPERATIONS_DATABASE_URL_SALES_PIPELINE"):
        site.database("sales-pipeline")
    with pytest.raises(NotFound, match="HANDOFF_API_URL_NOTIFIER"):
        site.api("notifier")


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER", "mysql://db/notifier", "postgresql://"),
        ("HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER", "postgresql://db/notifier\n", "line break"),
        ("HANDOFF_API_URL_NOTIFIER", "notifier:8000", "must begin with http://"),
        ("HANDOFF_API_URL_NOTIFIER_FILE", "/nowhere/url", "No such file"),
        ("HANDOFF_KAFKA_BOOTSTRAP", "kafka", "must be host:port"),
        ("HANDOFF_KAFKA_PASSWORD_FILE", "/nowhere/password", "No such file"),
        ("HANDOFF_DATABASE_CA", __file__, "holds no certificate of an authority in PEM"),
        ("HANDOFF_KAFKA_CA", __file__, "holds no certificate of an authority in PEM"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(
    name: str, value: str, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDOFF_OPERATIONS_DATABASE_URL_LEAD_SCORING", "postgresql://db/scoring")
    monkeypatch.setenv("HANDOFF_KAFKA_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv(name, value)

    with pytest.raises(WrongSetting, match=f"{name}.*{cure}"):
        find_site(os.environ, NOWHERE)


def test_where_nothing_runs_it_is_said_how_to_start_it() -> None:
    with pytest.raises(NotFound, match="handoff up"):
        find_site({}, NOWHERE)


def test_every_service_has_scopes_and_operators_enter_all() -> None:
    assert set(SCOPES) == {service.name for service in SERVICES}
    assert all("operate" in scopes for scopes in SCOPES.values())


def test_a_scope_of_another_service_is_refused_with_those_there_are() -> None:
    with pytest.raises(WrongScopes, match="tasks:read, tasks:write, operate"):
        check_scopes("notifier", ["tasks:read", "leads:write"], None)


def test_only_keys_that_bring_leads_are_tied_to_a_source() -> None:
    check_scopes("marketing-intake", ["leads:write"], UUID(int=1))

    with pytest.raises(WrongScopes, match="only a key of marketing-intake"):
        check_scopes("notifier", ["tasks:read"], UUID(int=1))
