import numpy as np
import pandas as pd

from skdnn.explain._results.frames import frame_of, rows_by


def test_text_that_is_no_valid_unicode_stays():
    table = frame_of({"feature": "a\ud800", "x": ["b", "c\udfff"], "value": [1, 2]})
    assert table["feature"].tolist() == ["a\ud800"] * 2
    assert table["x"].tolist() == ["b", "c\udfff"]
    assert table["value"].dtype == int


def test_other_frames_are_those_of_pandas():
    columns = {"feature": "a", "x": ["b", "c"]}
    pd.testing.assert_frame_equal(frame_of(columns), pd.DataFrame(columns))


def test_rows_by_their_cells():
    cells = pd.Series(["a\ud800", None, "b", np.nan, "a\ud800"], dtype=object)
    assert rows_by(cells) == {("a\ud800",): [0, 4], (None,): [1, 3], ("b",): [2]}
    both = rows_by(cells, cells.index.to_series() > 2)
    assert list(both.values()) == [[0], [1], [2], [3], [4]]
