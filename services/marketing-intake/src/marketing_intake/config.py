"""Every knob of this service: `HANDOFF_…` variables, checked when the process starts."""

from pydantic import Field, SecretStr, field_validator

from shared.process import ServiceSettings

_FEWEST_CHARACTERS = 32


class Settings(ServiceSettings):
    """What intake needs beside the shared parts."""

    erasure_secret: SecretStr = Field(
        description="keys the hashes of erased people; a lost one lets late posts bring them back",
    )
    capture_queue_bytes: int = Field(
        default=32 * 1024 * 1024,
        ge=2 * 1024 * 1024,
        description="submissions that wait to be written, in bytes; above it the answer is 503",
    )
    submission_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="how long what was posted is kept as it came, once it has an outcome",
    )

    @property
    def erasure_key(self) -> bytes:
        """What the hashes of erased people are keyed by."""
        return self.erasure_secret.get_secret_value().encode()

    @field_validator("erasure_secret")
    @classmethod
    def _is_hard_to_guess(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < _FEWEST_CHARACTERS:
            made = "`openssl rand -hex 32` makes one"
            raise ValueError(f"must have at least {_FEWEST_CHARACTERS} characters; {made}")
        return secret
