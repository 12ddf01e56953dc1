"""Posts leads from a process of its own: `python sender.py URL KEY FILE`.

FILE holds a JSON list of posts; a post is a list of leads, alone or as a batch. What is answered
503 is posted again, as every sender must.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx

AT_ONCE = 6
BUSY = 503


async def post(http: httpx.AsyncClient, leads: list[dict[str, Any]]) -> None:
    path = "/v1/leads" if len(leads) == 1 else "/v1/leads/batch"
    body = leads[0] if len(leads) == 1 else {"items": leads}
    while True:
        answer = await http.post(path, json=body)
        items = [item["status"] for item in answer.json().get("items", [])]
        if answer.status_code != BUSY and BUSY not in items:
            break
        await asyncio.sleep(0.1)
    if answer.status_code not in (200, 201, 202) or set(items) - {200, 201, 202}:
        raise SystemExit(answer.text)


async def send(url: str, key: str, posts: list[list[dict[str, Any]]]) -> None:
    waiting = asyncio.Semaphore(AT_ONCE)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:

        async def one(leads: list[dict[str, Any]]) -> None:
            async with waiting:
                await post(http, leads)

        await asyncio.gather(*(one(leads) for leads in posts))


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
