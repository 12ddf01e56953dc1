"""A setting that cannot be is named with what mends it, before anything is tried with it."""

from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from marketing_intake.config import Settings as IntakeSettings
from shared import given
from shared.files import Unusable
from shared.process import ServiceSettings

FIT = {
    "HANDOFF_DATABASE_URL": "postgresql://notifier:secret@db:5432/notifier",
    "HANDOFF_KAFKA_BOOTSTRAP": "one:9092,[::1]:9092",
}
AUTHORITIES = ("HANDOFF_DATABASE_CA", "HANDOFF_KAFKA_CA")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in FIT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def said() -> str:
    try:
        ServiceSettings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
    except ValidationError as error:
        return given.faults_of(error)
    except Unusable as error:
        return str(error)
    return ""


@pytest.mark.parametrize("secret", ["", "too-short"])
def test_a_secret_that_is_easily_guessed_is_refused_with_what_makes_one(
    environ: pytest.MonkeyPatch, secret: str
) -> None:
    environ.setenv("HANDOFF_ERASURE_SECRET", secret)
    with pytest.raises(ValidationError) as raised:
        IntakeSettings()  # pyright: ignore[reportCallIssue]  as above

    assert given.faults_of(raised.value) == (
        "HANDOFF_ERASURE_SECRET: must have at least 32 characters; `openssl rand -hex 32` makes one"
    )


def test_what_is_fit_is_taken(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "authority.pem")
    for name in AUTHORITIES:
        environ.setenv(name, str(tmp_path / "authority.pem"))

    assert said() == ""


@pytest.mark.parametrize("name", AUTHORITIES)
@pytest.mark.parametrize("content", [b"", b"no PEM", b"\x30\x82"], ids=["empty", "text", "DER"])
def test_an_authority_that_is_none_is_named_with_what_it_should_be(
    environ: pytest.MonkeyPatch, tmp_path: Path, content: bytes, name: str
) -> None:
    file = tmp_path / "authority.pem"
    file.write_bytes(content)
    environ.setenv(name, str(file))

    assert said() == f"{name}: {file} holds no certificate of an authority in PEM"


def test_what_is_missing_is_named_with_both_ways_to_give_it(environ: pytest.MonkeyPatch) -> None:
    environ.delenv("HANDOFF_DATABASE_URL")

    assert said() == (
        "HANDOFF_DATABASE_URL is missing: set it, or HANDOFF_DATABASE_URL_FILE to a file that"
        " holds it"
    )


def test_all_that_is_wrong_is_said_at_once(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("HANDOFF_HTTP_PORT", "eighty")
    environ.setenv("HANDOFF_KAFKA_REPLICATION", "0")

    assert said().count("HANDOFF_") == 2


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("mysql://notifier:secret@db/notifier", "must begin with postgresql://"),
        ("postgresql://notifier:secret@db:5432", "@host:port/database"),
        ("postgresql://notifier:secret@/notifier", "@host:port/database"),
        ("postgresql://notifier:secret@db:fifty/notifier", "@host:port/database"),
        ("postgresql://notifier:secret@db:54320000/notifier", "@host:port/database"),
        ("postgresql://notifier:sec/ret@db:5432/notifier", "%2F"),
        ("postgresql://notifier:sec#ret@db:5432/notifier", "%23"),
        ("postgresql://notifier:sec?ret@db:5432/notifier", "%3F"),
        ("postgresql://notifier:sec[ret@db:5432/notifier", "@host:port/database"),
        ("postgresql://notifier:secret@db/notifier?sslmode=require", "HANDOFF_DATABASE_CA"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_with_what_it_should_be(
    environ: pytest.MonkeyPatch, url: str, cure: str
) -> None:
    environ.setenv("HANDOFF_DATABASE_URL", url)

    assert said().startswith("HANDOFF_DATABASE_URL: ")
    assert cure in said()
    assert "sec" not in said()


@pytest.mark.parametrize(
    "bootstrap", ["", "kafka", "http://kafka:9092", "kafka:9092, other:9092", "kafka:nine", "a:1,"]
)
def test_brokers_are_hosts_with_ports(environ: pytest.MonkeyPatch, bootstrap: str) -> None:
    environ.setenv("HANDOFF_KAFKA_BOOTSTRAP", bootstrap)

    assert said() == (
        "HANDOFF_KAFKA_BOOTSTRAP: must be host:port[,host:port...], without blanks or http://"
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n", " "])
@pytest.mark.parametrize("name", ["DATABASE_URL", "KAFKA_BOOTSTRAP", "KAFKA_PASSWORD"])
def test_a_line_break_at_the_end_of_a_value_is_refused_and_never_shown(
    environ: pytest.MonkeyPatch, name: str, ending: str
) -> None:
    environ.setenv("HANDOFF_KAFKA_USER", "notifier")
    environ.setenv("HANDOFF_KAFKA_PASSWORD", "secret")
    environ.setenv(f"HANDOFF_{name}", FIT.get(f"HANDOFF_{name}", "secret") + ending)

    assert said() == (
        f"HANDOFF_{name}: begins or ends with a blank or a line break; take it away (`printf`, not"
        " `echo`)"
    )


def test_a_file_may_end_with_one_line_break_and_no_more(
    environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environ.delenv("HANDOFF_DATABASE_URL")
    environ.setenv("HANDOFF_DATABASE_URL_FILE", str(tmp_path / "uri"))
    heard: list[str] = []
    for ending in ("", "\n", "\n\n", " \n"):
        (tmp_path / "uri").write_bytes((FIT["HANDOFF_DATABASE_URL"] + ending).encode())
        heard.append(said())

    assert heard[:2] == ["", ""]
    assert all("HANDOFF_DATABASE_URL: begins or ends with" in each for each in heard[2:])


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read (No such file or directory)"), (b"\xff\xfe", "is not UTF-8")],
)
def test_a_file_that_cannot_be_read_is_named_with_its_variable(
    environ: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    place = tmp_path / "uri"
    if content is not None:
        place.write_bytes(content)
    environ.setenv("HANDOFF_KAFKA_PASSWORD_FILE", str(place))

    assert said() == f"HANDOFF_KAFKA_PASSWORD_FILE: {place} {reason}"
