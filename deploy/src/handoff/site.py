"""Where a running installation is, for the commands that look into it or work on it.

By default what the supervisor of this machine wrote down. For an installation that runs elsewhere
the environment says it (each variable also as `…_FILE`, the path of a file that holds the value):

    HANDOFF_OPERATIONS_DATABASE_URL_<SERVICE>   its database, as the role `operations`
    HANDOFF_API_URL_<SERVICE>                   its API
    HANDOFF_DATABASE_CA                         a PEM file: connect by TLS, to that host alone
    HANDOFF_KAFKA_BOOTSTRAP, HANDOFF_KAFKA_CA, HANDOFF_KAFKA_USER, HANDOFF_KAFKA_PASSWORD,
    HANDOFF_TOPIC_PREFIX

with <SERVICE> as MARKETING_INTAKE, LEAD_SCORING, SALES_PIPELINE and NOTIFIER.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from handoff.layout import Layout
from handoff.services import SERVICES, Service
from handoff.state import SystemState, read_state
from shared.files import SecretFile, Unusable
from shared.given import address_fault, ends_fault
from shared.settings import AuthoritySettings, KafkaSettings, WrongSetting, is_given, read

ENVIRONMENT = (
    "Looks at what runs on this machine, or at what HANDOFF_OPERATIONS_DATABASE_URL_<SERVICE>, "
    "HANDOFF_API_URL_<SERVICE> and HANDOFF_KAFKA_BOOTSTRAP name."
)
DATABASE, API = "HANDOFF_OPERATIONS_DATABASE_URL", "HANDOFF_API_URL"
KAFKA = "HANDOFF_KAFKA_BOOTSTRAP"

T = TypeVar("T")


class NotFound(Exception):
    """It is not known where something runs; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where each service's database and API are, as far as that is known, and Kafka.

    An address that a file holds is read at each use: `operations` runs on while it changes.
    """

    databases: Mapping[str, str | SecretStr]
    apis: Mapping[str, str]
    kafka: KafkaSettings | None
    authority: Path | None = None

    def database(self, service: str) -> str:
        """Return where a service's database is, as the role `operations`.

        Raises:
            NotFound: nobody said it.
        """
        address = _known(self.databases, service, DATABASE)
        known = address if isinstance(address, str) else address.get_secret_value()
        return _trusting(known, self.authority)

    def api(self, service: str) -> str:
        """Return where a service's API is.

        Raises:
            NotFound: nobody said it.
        """
        return _known(self.apis, service, API)


def is_elsewhere(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment names databases, so not what runs on this machine is meant."""
    return any(name.startswith(DATABASE) for name in environ)


def find_site(environ: Mapping[str, str], layout: Layout) -> Site:
    """Return what the environment names; where it names no database, what runs here.

    Raises:
        NotFound: neither.
        WrongSetting: the environment names what cannot be.
    """
    databases = _from_environment(environ, DATABASE, address_fault)
    if databases:
        kafka = read(KafkaSettings) if is_given(environ, KAFKA) else None
        doors = _from_environment(environ, API, _door_fault)
        apis = {name: url.get_secret_value() for name, url in doors.items()}
        return Site(databases, apis, kafka, read(AuthoritySettings).database_ca)
    state = read_state(layout)
    if state is None:
        raise NotFound(
            "Handoff is not running here. `handoff up` starts it; one that runs elsewhere is named"
            f" by {DATABASE}_<SERVICE>."
        )
    return site_of(state)


def site_of(state: SystemState) -> Site:
    """Return where what the supervisor runs is."""
    return Site(
        databases={name: each.operations_database for name, each in state.services.items()},
        apis={name: each.url for name, each in state.services.items()},
        kafka=KafkaSettings(kafka_bootstrap=state.kafka.bootstrap, kafka_replication=1),
    )


def _trusting(url: str, authority: Path | None) -> str:
    """Return an address by which only a host with a certificate of that authority is spoken to."""
    if authority is None:
        return url
    tls = urlencode({"sslmode": "verify-full", "sslrootcert": str(authority)})
    return f"{url}{'&' if urlsplit(url).query else '?'}{tls}"


def _from_environment(
    environ: Mapping[str, str], prefix: str, fault_of: Callable[[str], str | None]
) -> dict[str, SecretStr]:
    found: dict[str, SecretStr] = {}
    for service in SERVICES:
        name = variable(prefix, service)
        given = _given(environ, name)
        if given is None:
            continue
        text = given.get_secret_value()
        if fault := ends_fault(text) or fault_of(text):
            raise WrongSetting(f"{name}: {fault}")
        found[service.name] = given
    return found


def _given(environ: Mapping[str, str], name: str) -> SecretStr | None:
    if name in environ:
        return SecretStr(environ[name])
    path = environ.get(f"{name}_FILE")
    try:
        return SecretFile(Path(path)) if path else None
    except Unusable as error:
        raise WrongSetting(f"{name}_FILE: {error}") from None


def _door_fault(url: str) -> str | None:
    return (
        None if url.startswith(("http://", "https://")) else "must begin with http:// or https://"
    )


def variable(prefix: str, service: Service) -> str:
    """Return the name of the variable that says this of a service."""
    return f"{prefix}_{service.package.upper()}"


def _known(places: Mapping[str, T], service: str, prefix: str) -> T:
    if service not in places:
        name = f"{prefix}_{service.upper().replace('-', '_')}"
        raise NotFound(f"It is not known where {service} is: set {name}.")
    return places[service]
