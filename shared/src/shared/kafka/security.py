"""How clients prove who they are to the brokers, and the brokers to them: TLS and SASL.

Nothing is chosen here: what the settings give is used, and without any it is a bare connection,
which is for one machine only. A client lives long and connects anew now and then: each time with
the authority of that moment, and the password of it (`connections`).
"""

from typing import Any

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
