"""Unit tests meet no network: every connection is refused, as if nobody were there."""

import socket

import pytest


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: socket.socket, address: object) -> None:
        raise ConnectionRefusedError(f"unit tests have no network: {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
