import re

import pytest

from engines.core.errors import StudioError
from studio.services.direction_library import Library
from studio.state.session import Session
from studio.tabs.explore.change_cell import ChangePlots


def test_every_frame_is_a_point_of_both_maps_and_pictures_come_when_they_are_drawn(session: Session) -> None:
    plots = ChangePlots(Library(session))
    drawn = plots.drawn("all factors")
    marks = re.findall(r'data-mark="([a-z]+-\d-\d)"', drawn)
    assert len(marks) == 2 * 18 and marks[:18] == marks[18:] and "data-picture" not in drawn
    assert list(plots.drawing("second")) == ["Drawing the frames of second, 1 of 1 …"]
    assert plots.drawn("all factors").count('data-picture="data:image') == 9
    assert len(list(plots.drawing("all factors"))) == 2
    assert plots.drawn("all factors").count('data-picture="data:image') == 18
    one = plots.drawn("second")
    assert one.count("<circle") == 2 * 9 and one.count("<polyline") == 2 and ": 1.00" in one
    with pytest.raises(StudioError, match=r"No changes of 'x' were learnt\. Choose one of first, second"):
        plots.drawn("x")
