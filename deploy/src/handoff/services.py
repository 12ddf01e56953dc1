"""The one table of what runs: which services there are, in the order of starting and showing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """A service as seen from outside.

    Attributes:
        name: as people write it.
        package: where its programs are; also the name of its database and of that one's owner.
        port: which loopback port its API prefers.
    """

    name: str
    package: str
    port: int

    @property
    def database(self) -> str:
        """Name of its database, and of the role that owns it."""
        return self.package


SERVICES = (
    Service("marketing-intake", "marketing_intake", 8101),
    Service("lead-scoring", "lead_scoring", 8102),
    Service("sales-pipeline", "sales_pipeline", 8103),
    Service("notifier", "notifier", 8104),
)
ROLES = ("api", "worker")
DATABASES = tuple(service.database for service in SERVICES)


def service_named(name: str) -> Service:
    """Return a service by the name that people write."""
    return next(service for service in SERVICES if service.name == name)
