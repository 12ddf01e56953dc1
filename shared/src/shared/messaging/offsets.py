"""How far one member of a group is: the group is told a few times a second, behind the batches.

A death costs a second reading: what is a repeat the positions in the database decide.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared import crash_points
from shared.kafka import client
from shared.kafka.port import Member, Partition
from shared.kafka.record import Record

_EVERY_SECONDS = 0.25


@dataclass(slots=True)
class Offsets:
    """What a member has seen through and not yet told."""

    member: Member
    untold: dict[Partition, int] = field(default_factory=dict[Partition, int])
    told_at: float = field(default_factory=time.monotonic)

    async def note(self, records: Mapping[Partition, Sequence[Record]]) -> None:
        """Note records whose effects are committed; tell, if it was not told for a while."""
        self.untold |= {place: some[-1].offset + 1 for place, some in records.items()}
        await self.tell_in_time()

    async def tell_in_time(self) -> None:
        """Tell, if it was not told for a while."""
        if time.monotonic() - self.told_at >= _EVERY_SECONDS:
            await self.tell()

    async def tell(self) -> None:
        """Tell at once; what was not taken is told again the next time."""
        if not self.untold:
            return
        if await client.commit(self.member, self.untold):
            self.untold = {}
        self.told_at = time.monotonic()
        crash_points.reach("consumer.after_offset")
