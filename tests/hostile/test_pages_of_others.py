"""A page of somebody else asks by a visitor's browser: no route lets it read what is answered."""

import httpx
from tests.hostile.served import Served

ELSEWHERE = "https://elsewhere.example"
_ASKS_FIRST = {
    "origin": ELSEWHERE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
}


async def test_no_answer_lets_another_page_read_it(service: Served) -> None:
    key = await service.key()
    for shown in (key, None):
        for route in service.routes:
            answer = await service.send(route, key=shown, headers={"origin": ELSEWHERE})

            assert allowed(answer.headers) == [], route.line


async def test_a_browser_that_asks_first_is_not_told_yes(service: Served) -> None:
    for address in {route.address() for route in service.routes}:
        answer = await service.http.options(address, headers=_ASKS_FIRST)

        assert allowed(answer.headers) == [], address
        assert not answer.is_success, address


def allowed(headers: httpx.Headers) -> list[str]:
    """Return the headers by which a browser would let the page have what it asked for."""
    return [name for name in headers if name.startswith("access-control-")]
