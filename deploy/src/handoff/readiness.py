"""Asks a process of ours whether it is ready, over its operations port."""

import ssl

import httpx

_ANSWER_WITHIN = 5.0
# Loopback only: loading the trust store for each question would be most of its cost.
_NO_TRUST_STORE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


async def why_not_ready(operations_url: str) -> str | None:
    """Return None if the process is ready, else what it answered or why it did not."""
    async with httpx.AsyncClient(
        verify=_NO_TRUST_STORE, trust_env=False, timeout=_ANSWER_WITHIN
    ) as client:
        try:
            answer = await client.get(f"{operations_url}/readyz")
        except httpx.HTTPError as error:
            return f"{type(error).__name__} {error}".strip()
    return None if answer.is_success else answer.text


async def is_ready(operations_url: str) -> bool:
    """Tell whether the process is ready."""
    return await why_not_ready(operations_url) is None
