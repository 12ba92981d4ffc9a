"""`progress`: the last check-ins, counted and not judged."""

from collections.abc import Mapping

from bot.core.command_names import CommandName
from bot.core.progress import Point, progress_text
from bot.core.records import RecordKind, RecordState
from bot.flows.request import Carry, Request
from bot.ports import Tx


class ProgressCommand:
    """Shows how things are going."""

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {CommandName.PROGRESS: self.progress}

    async def progress(self, tx: Tx, request: Request) -> str:
        """Show the last check-ins of each goal, to both."""
        pair_id = request.pair.pair_id
        records = [record for record in await tx.records.newest(pair_id) if record.state is RecordState.RECORDED]
        points: dict[str, list[Point]] = {}
        for record in records:
            if record.kind is RecordKind.CHECKIN and record.goal_id:
                points.setdefault(record.goal_id, []).append(Point(at=record.first_at, value=record.content["value"]))
        return progress_text(
            await tx.pairs.goals(pair_id),
            points,
            [record.first_at for record in records],
            wording=request.words,
            zone=request.zone,
            at=request.at,
        )
