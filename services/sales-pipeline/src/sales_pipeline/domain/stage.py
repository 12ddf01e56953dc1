"""Where a deal can stand, and the moves between: the rules that sales people can run into.

| Rule | Refuses | Why |
|---|---|---|
| `illegal-stage-move` | back to `new`; into `won` or `lost` by a plain move | contact cannot be unmade; a sale has an amount, a loss a reason |
| `deal-already-closed` | any change of a deal that was won, lost, recycled, merged or erased; only activities may be added later | what others were told of the end stays true |
| `deal-already-accepted` | taking on a deal that another rep took on | of two reps who press at once, one has it |
| `activity-in-the-future` | an activity that did not happen yet | the timeline holds what was done; what is to be done is a task |
| `rep-email-taken` | two reps with one address | the same person twice would get two turns a round |
| `fallback-required` | leaving new deals without an owner of last resort | no deal is ever without an owner |

What is allowed on purpose: stages may be skipped, forward and back, for sales does not go in a
line; winning, losing and recycling are possible from every stage. Nobody has to accept first:
moving a deal past `contacted`, or winning it, takes it on for its owner, in the same commit. A
deal that is flagged as disqualified may still be worked: the flag warns, the rep decides.
"""  # noqa: E501  a table's row is one line

from enum import StrEnum


class Stage(StrEnum):
    """Where a deal stands."""

    NEW = "new"
    CONTACTED = "contacted"
    SALES_QUALIFIED = "sales_qualified"
    DEMO = "demo"
    PROPOSAL = "proposal"
    NEGOTIATION = "negotiation"
    WON = "won"
    LOST = "lost"


PAST_CONTACT = frozenset({Stage.SALES_QUALIFIED, Stage.DEMO, Stage.PROPOSAL, Stage.NEGOTIATION})
WORKED = PAST_CONTACT | {Stage.CONTACTED}

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.NEW: WORKED,
    Stage.CONTACTED: WORKED,
    Stage.SALES_QUALIFIED: WORKED,
    Stage.DEMO: WORKED,
    Stage.PROPOSAL: WORKED,
    Stage.NEGOTIATION: WORKED,
    Stage.WON: frozenset(),
    Stage.LOST: frozenset(),
}


class IllegalStageMove(Exception):
    """A deal cannot go from the one stage to the other by a plain move."""

    def __init__(self, *, stage: Stage, to: Stage) -> None:
        """Say which stages may follow."""
        allowed = ", ".join(name for name in Stage if name in MOVES[stage])
        super().__init__(
            f"A deal in stage {stage} can be moved to: {allowed}; not to {to}. "
            "To end a deal use win, lose or recycle."
        )


def check_move(*, stage: Stage, to: Stage) -> None:
    """Let a move pass that the table allows.

    Raises:
        IllegalStageMove: the table does not allow it.
    """
    if to not in MOVES[stage]:
        raise IllegalStageMove(stage=stage, to=to)
