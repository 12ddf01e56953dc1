"""Secrets and authorities in files: read again at each use, and kept while a file gives nothing."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError
from structlog.testing import capture_logs

from marketing_intake.config import Settings
from shared.files import SecretFile, Trust, Unusable
from shared.settings import DatabaseSettings

FIRST, SECOND = "postgresql://handoff:first@db/d", "postgresql://handoff:second@db/d"
HOST = "db.example"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "uri"
    path.write_text(f"{FIRST}\n")
    monkeypatch.setenv("HANDOFF_DATABASE_URL_FILE", str(path))
    return path


def test_a_secret_is_what_its_file_says_now_without_the_newline(file: Path) -> None:
    address = DatabaseSettings().database_url
    first = address.get_secret_value()
    file.write_text(f"{SECOND}\r\n")

    assert (first, address.get_secret_value()) == (FIRST, SECOND)


def test_a_secret_that_a_kubelet_exchanges_is_read_again(tmp_path: Path) -> None:
    for name, text in (("one", FIRST), ("two", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "uri").write_text(text)
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "uri").symlink_to("..data/uri")
    secret = SecretFile(tmp_path / "uri")
    first = secret.get_secret_value()
    (tmp_path / "..data_tmp").symlink_to("two")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")

    assert (first, secret.get_secret_value()) == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "cannot be read (No such file or directory)"),
        (lambda file: file.write_text(""), "is empty"),
        (lambda file: file.write_text("\n"), "is empty"),
        (lambda file: file.write_bytes(b"postgresql://h:s3cr\xff"), "is not UTF-8"),
    ],
    ids=["missing", "empty", "a newline alone", "not text"],
)
def test_while_a_file_says_nothing_its_last_word_holds_and_one_warning_tells(
    file: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    address = DatabaseSettings().database_url
    spoil(file)
    with capture_logs() as logs:
        meanwhile = {address.get_secret_value() for _ in range(3)}
        first_time = list(logs)
        file.write_text(SECOND)
        afterwards = address.get_secret_value()
        spoil(file)
        address.get_secret_value()

    assert meanwhile == {FIRST}
    assert afterwards == SECOND
    warning = {"file": str(file), "reason": reason}
    assert [(log["log_level"], log.items() >= warning.items()) for log in first_time] == [
        ("warning", True)
    ]
    assert len(logs) == 2
    assert "s3cr" not in str(logs)


@pytest.mark.parametrize("text", [None, ""], ids=["missing", "empty"])
def test_a_file_that_says_nothing_at_the_start_is_named_with_its_setting(
    file: Path, text: str | None
) -> None:
    file.unlink()
    if text is not None:
        file.write_text(text)

    with pytest.raises(Unusable, match=rf"HANDOFF_DATABASE_URL_FILE: {file} (is empty|cannot be)"):
        DatabaseSettings()


def test_a_secret_is_shown_nowhere(file: Path) -> None:
    settings = DatabaseSettings()

    assert "first" not in f"{settings} {settings!r} {settings.model_dump()}"
    assert file.exists()


def test_a_secret_that_is_too_short_is_refused_also_in_a_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "erasure").write_text("x" * 31)
    monkeypatch.setenv("HANDOFF_ERASURE_SECRET_FILE", str(tmp_path / "erasure"))
    monkeypatch.setenv("HANDOFF_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    with pytest.raises(ValidationError, match=r"(?s)erasure_secret.*at least 32"):
        Settings()
    assert file.exists()


def test_an_authority_is_trusted_from_the_moment_that_it_is_in_the_file(tmp_path: Path) -> None:
    old, new, path = trustme.CA(), trustme.CA(), tmp_path / "authority.pem"
    old.cert_pem.write_to_path(path)
    trust = Trust(path)
    before = (shakes_hands(trust, old), shakes_hands(trust, new))
    path.write_bytes(old.cert_pem.bytes() + new.cert_pem.bytes())
    both = (shakes_hands(trust, old), shakes_hands(trust, new))
    new.cert_pem.write_to_path(path)
    after = (shakes_hands(trust, old), shakes_hands(trust, new))

    assert (before, both, after) == ((True, False), (True, True), (False, True))


def test_half_an_authority_is_none_and_the_last_whole_one_is_trusted(tmp_path: Path) -> None:
    authority, path = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    trust = Trust(path)
    os.truncate(path, 200)
    with capture_logs() as logs:
        trusted = [shakes_hands(trust, authority) for _ in range(2)]

    assert trusted == [True, True]
    assert [(log["log_level"], log["file"]) for log in logs] == [("warning", str(path))]


def test_what_is_trusted_must_be_of_its_host(tmp_path: Path) -> None:
    authority, path = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)

    assert not shakes_hands(Trust(path), authority, host="elsewhere.example")


def shakes_hands(trust: Trust, authority: trustme.CA, host: str = HOST) -> bool:
    """Tell whether a client trusts a server of that host whom the authority vouches for."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(serving)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = trust.wrap_bio(to_client, to_server, server_hostname=HOST)
    for side in (client, server) * 4:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError:
            return False
    return True
