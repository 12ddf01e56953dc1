"""How clients prove who they are to the brokers, and the brokers to them: TLS and SASL.

Nothing is chosen here: what the settings give is used, and without any it is a bare connection,
which is for one machine only. A client lives long and connects anew now and then: each time with
the authority and the password of that moment.
"""

from typing import Any, cast

from aiokafka.client import AIOKafkaClient
from pydantic import SecretStr
from typing_extensions import override

from shared.files import Trust
from shared.settings import KafkaSettings


def of(settings: KafkaSettings) -> dict[str, Any]:
    """Return the arguments of the library's clients; a certificate must be of its host."""
    names = {
        (False, False): "PLAINTEXT",
        (True, False): "SSL",
        (False, True): "SASL_PLAINTEXT",
        (True, True): "SASL_SSL",
    }
    security: dict[str, Any] = {
        "security_protocol": names[settings.kafka_ca is not None, settings.kafka_user is not None]
    }
    if settings.kafka_ca is not None:
        security["ssl_context"] = Trust(settings.kafka_ca)
    if settings.kafka_user is not None and settings.kafka_password is not None:
        security |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return security


class _Client(AIOKafkaClient):
    """The library's, which knows a password from its start on; this one asks for it each time."""

    secret: SecretStr

    @property
    @override
    def _sasl_plain_password(self) -> str:
        return self.secret.get_secret_value()


def keep_current(client: object, settings: KafkaSettings) -> None:
    """Let each further connection of a library's client show the password as it is then."""
    if settings.kafka_password is not None:
        told = cast("_Client", client)
        told.__class__ = _Client
        told.secret = settings.kafka_password
