from dataclasses import replace

import numpy as np
import pytest
from drawn import labels, texts

from skdnn import explain


def test_effects_are_numbers_beside_bars(people, people_model):
    frame, _ = people
    result = explain.average_conditional_effects(people_model, frame)
    ax = result.plot()
    table = result.frame()
    drawn = texts(ax)
    assert {f"{effect:+.3g}" for effect in table["effect"]} <= drawn
    widths = np.array([bar.get_width() for bar in ax.patches])
    assert np.abs(widths).max() == pytest.approx(1)
    assert (np.sign(widths) == np.sign(table["effect"])).all()
    reference = table[table["feature"] == "city"]["reference"].iloc[0]
    assert f"city: Oslo vs {reference}" in labels(ax)
    assert labels(ax)[0] == "age"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "no", "perhaps", "yes",
    ]  # fmt: skip


def test_effects_have_intervals_where_they_are_known(iris_model):
    model, X, _ = iris_model
    result = explain.average_conditional_effects(model, X)
    table = result.frame()
    table["ci_low"], table["ci_high"] = table["effect"] - 1, table["effect"] + 2
    ax = replace(result, table=table).plot()
    reach = [line for line in ax.collections if len(line.get_segments())]
    assert sum(len(line.get_segments()) for line in reach) == len(table)
    assert not result.plot().collections
