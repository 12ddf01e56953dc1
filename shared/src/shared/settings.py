"""Parts of a service's settings: read from `HANDOFF_…` variables, checked when the process starts.

Every variable may be given as `HANDOFF_X_FILE`, the path of a file that holds the value: that is
how a secret reaches a container without standing in its environment. The value of a secret is then
read at each use (`shared.files`), everything else once. There is no global instance.
"""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from shared import crash_points, given, limits
from shared.files import SecretFile, Trust, Unusable

_PREFIX = "HANDOFF_"

S = TypeVar("S", bound="HandoffSettings")


class WrongSetting(Exception):
    """A setting is missing, or cannot be; the text names it, says what can, and never shows it."""


def read(settings: Callable[..., S]) -> S:
    """Return settings as this process was given them.

    Raises:
        WrongSetting: some cannot be; the text is of all of them.
    """
    try:
        return settings()
    except ValidationError as error:
        said = given.faults_of(error)
    except Unusable as error:
        said = str(error)
    raise WrongSetting(said)


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether the environment gives a setting, by itself or in a file."""
    return bool(name in environ or environ.get(f"{name}_FILE"))


class FileSource(PydanticBaseSettingsSource):
    """Reads a field from the file that `HANDOFF_<FIELD>_FILE` names.

    Raises:
        Unusable: there is nothing in it; the text begins with the variable's name.
    """

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{_PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(name)
        try:
            value = _read(field, Path(path)) if path else None
        except Unusable as error:
            raise Unusable(f"{name}: {error}") from None
        return value, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self._fields()}
        return {name: value for name, value in values.items() if value is not None}

    def _fields(self) -> list[tuple[str, FieldInfo]]:
        return list(self.settings_cls.model_fields.items())


def _read(field: FieldInfo, path: Path) -> SecretStr | str:
    secret = SecretFile(path)
    is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
    return secret if is_secret else secret.get_secret_value()


class HandoffSettings(BaseSettings):
    """What all parts share: the prefix, where values come from, and what no value may have."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_whole(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and (fault := given.ends_fault(text)):
            raise ValueError(fault)
        return value

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over files."""
        return init_settings, env_settings, FileSource(settings_cls)


def _names_an_authority(path: Path) -> Path:
    try:
        Trust(path)
    except Unusable as error:
        raise ValueError(str(error)) from None
    return path


AuthorityFile = Annotated[FilePath, AfterValidator(_names_an_authority)]
"""A PEM file with whom to trust."""


class AuthoritySettings(HandoffSettings):
    """Who vouches for the databases."""

    database_ca: AuthorityFile | None = Field(
        default=None,
        description="a PEM file with the authority that Postgres' certificate is of: where it is"
        " given, the connection is TLS, and the certificate must be of that host",
    )


class DatabaseSettings(AuthoritySettings):
    """Where a service's own database is."""

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    database_prepares: bool = Field(
        default=True,
        description="statements are prepared once for each connection; `false` behind a pooler"
        " that gives a connection for a transaction only, such as PgBouncer",
    )

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if fault := given.address_fault(text):
            raise ValueError(fault)
        if urlsplit(text).query:
            raise ValueError("takes nothing after a `?`; TLS is asked for by HANDOFF_DATABASE_CA")
        return url


class KafkaSettings(HandoffSettings):
    """Where the brokers are, and how this process is known to them."""

    kafka_bootstrap: str = Field(description="host:port[,host:port...]")
    kafka_replication: int = Field(
        default=3, ge=1, le=9, description="copies of each record; 1 is for one node only"
    )
    kafka_ca: AuthorityFile | None = Field(
        default=None,
        description="a PEM file with the authority that the brokers' certificates are of: where it"
        " is given, connections are TLS, and a certificate must be of its host",
    )
    kafka_user: str | None = Field(
        default=None, min_length=1, description="who this process is to the brokers, by SASL"
    )
    kafka_password: SecretStr | None = Field(
        default=None, validate_default=True, min_length=1, description="what proves it"
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        default="SCRAM-SHA-512",
        description="how it is proven; PLAIN shows the password, so it wants TLS",
    )
    topic_prefix: str = Field(
        default="", pattern=r"^[A-Za-z0-9._-]*$", description="put before each topic and group"
    )
    instance: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        description="a stable name of this process: static group member, holder of leases",
    )
    session_seconds: float = Field(
        default=limits.SESSION,
        ge=6,
        le=300,
        description="a group member that is silent for so long is replaced",
    )
    ack_seconds: float = Field(
        default=limits.ACK,
        ge=1,
        le=300,
        description="a record without an ack for so long makes its worker start again",
    )
    stuck_seconds: float = Field(
        default=limits.STUCK,
        ge=1,
        le=600,
        description="a consumer that gets nothing for so long, though there is work, starts again",
    )

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_of_brokers(cls, bootstrap: str) -> str:
        if fault := given.brokers_fault(bootstrap):
            raise ValueError(fault)
        return bootstrap

    @field_validator("kafka_password")
    @classmethod
    def _is_of_a_user(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (password is None) != (info.data.get("kafka_user") is None):
            raise ValueError("goes with HANDOFF_KAFKA_USER: give both, or neither")
        return password

    @field_validator("kafka_mechanism")
    @classmethod
    def _hides_the_password(cls, mechanism: str, info: ValidationInfo) -> str:
        if mechanism == "PLAIN" and info.data.get("kafka_ca") is None:
            raise ValueError("PLAIN would show the password to the network: give HANDOFF_KAFKA_CA")
        return mechanism


class SilenceSettings(HandoffSettings):
    """How long a loop may be silent."""

    silence_seconds: float = Field(
        default=limits.HEARTBEAT_SILENCE,
        ge=1,
        le=600,
        description="a loop that neither turns nor is held for so long fails /livez",
    )


class LoopSettings(SilenceSettings):
    """How long a worker's loops wait before they act on silence."""

    lease_seconds: float = Field(
        default=limits.LEASE, ge=1, le=300, description="how long a loop's holder may be silent"
    )


class FaultSettings(HandoffSettings):
    """For tests: where the process is to die."""

    crash_at: str | None = Field(
        default=None, description="for tests only: a crash point, such as `relay.after_send:3`"
    )

    @field_validator("crash_at")
    @classmethod
    def _is_known(cls, at: str | None) -> str | None:
        if at is not None:
            crash_points.read(at)
        return at


class WebSettings(HandoffSettings):
    """Where a process listens."""

    http_host: str = Field(default="127.0.0.1", description="where the API listens")
    http_port: int = Field(default=8000, ge=0, le=65535, description="0: any that is free")
    http_fd: int | None = Field(default=None, description="a listening socket that was inherited")
    operations_host: str = Field(
        default="127.0.0.1", description="where health and metrics are asked for"
    )
    operations_port: int = Field(
        default=9000, ge=0, le=65535, description="/livez, /readyz and /metrics"
    )


class TracingSettings(HandoffSettings):
    """Whether spans are exported, and of how many traces."""

    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^(https?://|$)",
        description="where spans are sent, by OTLP over HTTP, such as `http://collector:4318`;"
        " none, or empty: nowhere",
    )
    trace_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="of how many of the traces that begin here spans are sent; of others their"
        " `traceparent` says it",
    )


class TelemetrySettings(HandoffSettings):
    """How a process tells what it does."""

    log_format: Literal["json", "console"] = Field(
        default="json", description="for programs, or for people"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least grave that is written"
    )
