"""What is running, as the supervisor last wrote it down; the other commands start from here."""

from typing import Literal

from pydantic import BaseModel

from handoff.layout import Layout
from handoff.lock import find_holder

Phase = Literal["starting", "running", "stopping"]


class ProcessState(BaseModel):
    """One process of ours."""

    name: str
    role: str
    pid: int | None
    restarts: int
    operations_url: str


class ServiceState(BaseModel):
    """Where a service is; `operations_database` is its database as the role `operations`."""

    url: str
    operations_url: str
    database: str
    operations_database: str
    processes: list[ProcessState]


class KafkaState(BaseModel):
    """Where Kafka is."""

    bootstrap: str
    pid: int | None
    restarts: int


class PostgresState(BaseModel):
    """The PostgreSQL server; where the databases are, the services say."""

    pid: int | None
    restarts: int


class SystemState(BaseModel):
    """All of it."""

    state: Phase
    services: dict[str, ServiceState]
    operations: ProcessState | None
    kafka: KafkaState
    postgres: PostgresState


def write_state(layout: Layout, state: SystemState) -> None:
    """Replace what was written before, in one step; readable by its owner alone (passwords)."""
    unfinished = layout.state.with_name(f"{layout.state.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(state.model_dump_json(indent=2))
    unfinished.replace(layout.state)


def read_state(layout: Layout) -> SystemState | None:
    """Return what is running; None if nothing is, also where a killed supervisor left its file."""
    if find_holder(layout.lock) is None or not layout.state.exists():
        return None
    return SystemState.model_validate_json(layout.state.read_text())
