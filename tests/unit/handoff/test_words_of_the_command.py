"""What people write after `handoff up`, and what programs read from `handoff status --json`."""

from pathlib import Path

import pytest
import typer
from asyncpg.exceptions import InternalClientError

from handoff.cli import answers
from handoff.cli.replicas import parse_replicas
from handoff.cli.status import for_programs, status
from handoff.state import KafkaState, PostgresState, ProcessState, ServiceState, SystemState


def test_replicas_are_counted_per_service() -> None:
    assert parse_replicas(["lead-scoring=2", "notifier=3"]) == {"lead-scoring": 2, "notifier": 3}


def test_a_number_alone_is_for_all_services_and_what_comes_later_wins() -> None:
    assert parse_replicas(["3", "notifier=1"]) == {
        "marketing-intake": 3, "lead-scoring": 3, "sales-pipeline": 3, "notifier": 1
    }  # fmt: skip


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("scoring=2", "marketing-intake, lead-scoring, sales-pipeline, notifier"),
        ("notifier", "number from 1 to 16"),
        ("notifier=0", "number from 1 to 16"),
        ("notifier=many", "number from 1 to 16"),
        ("notifier=99", "number from 1 to 16"),
    ],
)
def test_a_wrong_replica_word_is_refused_with_what_is_allowed(word: str, complaint: str) -> None:
    with pytest.raises(typer.BadParameter, match=complaint):
        parse_replicas([word])


def test_status_tells_programs_the_promised_fields_and_no_more() -> None:
    process = ProcessState(
        name="notifier-api-0", role="api", pid=7, restarts=1, operations_url="http://p"
    )
    service = ServiceState(
        url="http://a",
        operations_url="http://o",
        database="postgresql://notifier",
        operations_database="postgresql://operations",
        processes=[process],
    )
    state = SystemState(
        operations=ProcessState(
            name="operations", role="audit", pid=6, restarts=0, operations_url="http://w"
        ),
        state="running",
        services={"notifier": service},
        kafka=KafkaState(bootstrap="127.0.0.1:1", pid=8, restarts=0),
        postgres=PostgresState(pid=9, restarts=0),
    )

    assert for_programs(state) == {
        "state": "running",
        "services": {
            "notifier": {
                "url": "http://a",
                "operations_url": "http://o",
                "database": "postgresql://notifier",
                "processes": [
                    {"role": "api", "pid": 7, "restarts": 1, "operations_url": "http://p"}
                ],
            }
        },
        "operations": {"operations_url": "http://w", "pid": 6, "restarts": 0},
        "kafka": {"bootstrap": "127.0.0.1:1", "pid": 8, "restarts": 0},
        "postgres": {"pid": 9, "restarts": 0},
    }


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory in which nothing was started."""
    monkeypatch.setenv("HANDOFF_RUN_DIR", str(tmp_path))


def ended(*, as_json: bool) -> int:
    """Return the exit code of `handoff status`."""
    with pytest.raises(typer.Exit) as raised:
        status(as_json=as_json)
    return raised.value.exit_code


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize("as_json", [False, True])
def test_status_says_of_an_installation_elsewhere_who_knows_its_processes(
    *, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANDOFF_OPERATIONS_DATABASE_URL_NOTIFIER", "postgresql://else/notifier")

    assert ended(as_json=as_json) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert all(f"`{each}`" in told.err.replace("\n", " ") for each in (
        "handoff doctor", "kubectl get pods", "docker compose ps"))  # fmt: skip


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize("as_json", [False, True])
def test_status_says_that_nothing_runs_here(
    *, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(as_json=as_json) == 1
    told = capsys.readouterr()
    assert '"stopped"' in told.out if as_json else "`handoff up` starts it" in told.err


def test_a_session_that_was_ended_before_the_question_is_no_crash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def ask() -> None:
        raise InternalClientError("another operation is in progress")

    with pytest.raises(typer.Exit) as ended:
        answers.run(ask())

    assert ended.value.exit_code == 1
    assert "another operation is in progress" in capsys.readouterr().err
