import pandas as pd

from skdnn.explain._results.frames import frame_of


def test_text_that_is_no_valid_unicode_stays():
    table = frame_of({"feature": "a\ud800", "x": ["b", "c\udfff"], "value": [1, 2]})
    assert table["feature"].tolist() == ["a\ud800"] * 2
    assert table["x"].tolist() == ["b", "c\udfff"]
    assert table["value"].dtype == int


def test_other_frames_are_those_of_pandas():
    columns = {"feature": "a", "x": ["b", "c"]}
    pd.testing.assert_frame_equal(frame_of(columns), pd.DataFrame(columns))
