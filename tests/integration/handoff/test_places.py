"""Ports, secrets, logs, the lock: what a run writes down and finds again."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from handoff.embedded.jars import kafka_version
from handoff.embedded.machine import Missing, find_java, find_maven, find_postgres
from handoff.embedded.ports import Ports, listen
from handoff.embedded.stack import postgres_home
from handoff.layout import find_layout
from handoff.lock import AlreadyRunning, find_holder, hold
from handoff.secret_file import keep_secrets
from handoff.supervisor.logs import turn_over
from handoff.supervisor.spec import Account

_SOMEBODY = Account(name="somebody", uid=54_321, gid=54_321)


def test_a_port_in_use_is_stepped_over_and_the_choice_remembered(tmp_path: Path) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        chosen = Ports(tmp_path / "ports.json").claim("api", port)

    assert chosen > port
    assert Ports(tmp_path / "ports.json").claim("api", port) == chosen


def test_two_names_never_get_the_same_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")

    assert ports.claim("one", 21_000) != ports.claim("other", 21_000)


def test_secrets_are_made_once_and_read_by_their_owner_alone(tmp_path: Path) -> None:
    first = keep_secrets(tmp_path / "secrets", ["postgres"])
    second = keep_secrets(tmp_path / "secrets", ["postgres", "operations"])

    assert second["postgres"] == first["postgres"]
    assert second["operations"] != second["postgres"]
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o600


def test_the_lock_is_one_holders_and_names_it(tmp_path: Path) -> None:
    with hold(tmp_path / "lock"):
        holder = find_holder(tmp_path / "lock")
        with pytest.raises(AlreadyRunning, match=str(os.getpid())), hold(tmp_path / "lock"):
            pass

    assert holder is not None
    assert holder.pid == os.getpid()
    assert find_holder(tmp_path / "lock") is None


def test_another_process_with_the_holders_pid_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f'{{"pid": {os.getpid()}, "created": 1.0}}')

    assert find_holder(tmp_path / "lock") is None


def test_a_large_log_is_turned_over_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("a") as writer:
        writer.write("old" * 10)
        writer.flush()
        turn_over(tmp_path, limit=20)
        writer.write("new")

    assert log.read_text() == "new"
    assert (tmp_path / "api.log.1").read_text() == "old" * 10


def test_postgres_data_moves_to_where_its_account_can_go(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    outside = postgres_home(tmp_path, _SOMEBODY)
    again = postgres_home(tmp_path, _SOMEBODY)
    shutil.rmtree(outside)

    assert outside == again
    assert tmp_path not in outside.parents
    assert (tmp_path / "postgres").is_symlink()


def test_postgres_data_stays_with_the_run_for_the_invoking_user(tmp_path: Path) -> None:
    assert postgres_home(tmp_path, None) == (tmp_path / "postgres").resolve()


def test_what_is_missing_is_said_with_the_package_to_install(tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path), "HANDOFF_POSTGRES_BIN": str(tmp_path)}

    with pytest.raises(Missing, match="apt-get install openjdk"):
        find_java(bare)
    with pytest.raises(Missing, match="apt-get install maven"):
        find_maven(bare)
    with pytest.raises(Missing, match=r"HANDOFF_POSTGRES_BIN(?s:.*)apt-get install postgresql"):
        find_postgres(bare)


def test_too_old_a_postgres_is_not_taken(tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        program.chmod(0o755)

    with pytest.raises(Missing, match="No PostgreSQL 15 or newer"):
        find_postgres({"PATH": os.defpath, "HANDOFF_POSTGRES_BIN": str(tmp_path)})


def test_the_pinned_kafka_is_read_from_the_pom() -> None:
    assert kafka_version(find_layout({}).kafka_pom) == "4.3.1"
