"""Where things lie: the repository's files for the embedded stack, and what a run leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one installation.

    Attributes:
        root: the repository.
        run: what a run writes; kept between runs.
    """

    root: Path
    run: Path

    @property
    def kafka_pom(self) -> Path:
        """The pinned versions of Kafka's jars."""
        return self.root / "deploy" / "local" / "kafka" / "pom.xml"

    @property
    def kafka_template(self) -> Path:
        """Kafka's properties, with what differs per node left open."""
        return self.root / "deploy" / "local" / "kafka" / "server.properties"

    @property
    def postgres_settings(self) -> Path:
        """The settings that the embedded PostgreSQL includes."""
        return self.root / "deploy" / "local" / "postgres" / "postgresql.conf"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.run / "logs"

    @property
    def state(self) -> Path:
        """What is running now, for the other commands."""
        return self.run / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor that runs here."""
        return self.run / "lock"

    @property
    def replicas(self) -> Path:
        """How many processes of each service are wanted, where that was changed while they run."""
        return self.run / "replicas.json"

    @property
    def ports(self) -> Path:
        """The ports given out before."""
        return self.run / "ports.json"

    @property
    def secrets(self) -> Path:
        """Random passwords and keys, readable by their owner alone."""
        return self.run / "secrets"


def find_layout(environ: Mapping[str, str]) -> Layout:
    """Return the repository this is installed from, and its `.run/` (or HANDOFF_RUN_DIR)."""
    chosen = environ.get("HANDOFF_RUN_DIR")
    return Layout(root=_REPOSITORY, run=Path(chosen) if chosen else _REPOSITORY / ".run")
