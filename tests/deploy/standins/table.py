"""Which images are made here, of which Debian packages, and what their starts are.

They stand in for the official ones in tests, and are never published: other builds, other patches.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.versions import official

_HERE = Path(__file__).resolve().parent
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class StandIn:
    """One image.

    Attributes:
        tag: the official name that it goes by.
        suite: of Debian, the one that has the right version.
        before: shell commands between the essential packages and the others; `$1` is the root.
        after: the same, when all packages are in.
        changes: instructions of a Dockerfile.
        trusts: whether it is given the machine's own certificates, to install from inside.
    """

    tag: str
    suite: str
    packages: tuple[str, ...]
    changes: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    trusts: bool = False
    files: dict[Path, str] = field(default_factory=dict[Path, str])


PYTHON = StandIn(
    tag=official("python"),
    suite="bookworm",
    packages=("python3", "python3-venv", "ca-certificates", "netbase", "tzdata"),
    after=('ln -s /usr/bin/python3 "$1/usr/local/bin/python"',),
    changes=(f"ENV PATH={_PATH} LANG=C.UTF-8", 'CMD ["python3"]'),
    trusts=True,
)

_USER = (
    'echo "{0}:x:{1}:{1}::{2}:/bin/bash" >> "$1/etc/passwd"; echo "{0}:x:{1}:" >> "$1/etc/group"'
)

POSTGRES = StandIn(
    tag=official("postgres"),
    suite="testing",
    packages=("postgresql-18",),
    before=(
        _USER.format("postgres", 999, "/var/lib/postgresql"),
        'mkdir -p "$1/etc/postgresql-common"',
        'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"',
    ),
    after=('mkdir -p "$1/docker-entrypoint-initdb.d"',),
    changes=(
        f"ENV PATH=/usr/lib/postgresql/18/bin:{_PATH} LANG=C.UTF-8",
        "ENV PGDATA=/var/lib/postgresql/18/docker",
        "EXPOSE 5432",
        "VOLUME /var/lib/postgresql",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        'CMD ["postgres"]',
    ),
    files={_HERE / "postgres.sh": "/usr/local/bin/docker-entrypoint.sh"},
)

KAFKA = StandIn(
    tag=official("kafka"),
    suite="bookworm",
    packages=("openjdk-17-jre-headless",),
    before=(_USER.format("appuser", 1000, "/home/appuser"),),
    after=(
        'cd "$1" && mkdir -p opt/kafka/config opt/kafka/logs var/lib/kafka/data mnt/shared/config',
        'chown -R 1000:1000 "$1"/opt/kafka "$1"/var/lib/kafka "$1"/mnt/shared',
    ),
    changes=(
        f"ENV PATH={_PATH} CLUSTER_ID=5L6g3nShT-eMCtK--X86sw",
        "USER 1000",
        "EXPOSE 9092",
        "VOLUME /var/lib/kafka/data",
        'CMD ["/etc/kafka/docker/run"]',
    ),
    files={_HERE / "kafka.sh": "/etc/kafka/docker/run"},
)

ALL = (PYTHON, POSTGRES, KAFKA)
