"""The table of moves."""

import pytest

from sales_pipeline.domain.stage import WORKED, IllegalStageMove, Stage, check_move


@pytest.mark.parametrize("stage", [Stage.NEW, *sorted(WORKED)])
@pytest.mark.parametrize("to", sorted(WORKED))
def test_a_deal_moves_between_all_stages_of_work_and_may_skip(stage: Stage, to: Stage) -> None:
    check_move(stage=stage, to=to)


@pytest.mark.parametrize("stage", sorted(WORKED))
def test_a_deal_never_becomes_new_again(stage: Stage) -> None:
    with pytest.raises(IllegalStageMove, match=f"in stage {stage} can be moved to: contacted"):
        check_move(stage=stage, to=Stage.NEW)


@pytest.mark.parametrize("stage", [Stage.NEW, *sorted(WORKED)])
@pytest.mark.parametrize("to", [Stage.WON, Stage.LOST])
def test_no_plain_move_wins_or_loses(stage: Stage, to: Stage) -> None:
    with pytest.raises(IllegalStageMove, match="use win, lose or recycle"):
        check_move(stage=stage, to=to)


@pytest.mark.parametrize("stage", [Stage.WON, Stage.LOST])
@pytest.mark.parametrize("to", list(Stage))
def test_nothing_follows_the_end(stage: Stage, to: Stage) -> None:
    with pytest.raises(IllegalStageMove):
        check_move(stage=stage, to=to)
