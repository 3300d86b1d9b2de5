from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from sklearn.linear_model import LogisticRegression

from skdnn import explain


def labels(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def texts(ax):
    return {text.get_text() for text in ax.figure.findobj(Text)}


def test_break_down_leads_from_the_mean_to_the_prediction(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[::50], background=X, random_state=0)
    ax = result.plot(sample=2, target_class="versicolor")
    bars = ax.patches
    base, final = result.base_values[1], result.predictions[2, 1]
    assert (bars[0].get_x(), bars[0].get_width()) == (0, pytest.approx(base))
    assert (bars[-1].get_x(), bars[-1].get_width()) == (0, pytest.approx(final))
    at = base
    for bar, j in zip(bars[1:-1], result.orders[2], strict=True):
        assert bar.get_x() == pytest.approx(at)
        assert bar.get_width() == pytest.approx(result.values[2, j, 1])
        at += bar.get_width()
    assert at == pytest.approx(final)
    names = labels(ax)
    assert (names[0], names[-1]) == ("on average", "prediction")
    assert names[1].startswith(X.columns[result.orders[2, 0]])
    # without a class, that of the prediction
    assert "class virginica" in result.plot(sample=2).get_title()


def test_break_down_adds_up_what_it_does_not_show(iris_model):
    model, X, _ = iris_model
    result = explain.break_down(model, X[:2], background=X, random_state=0)
    ax = result.plot(max_display=3)
    assert labels(ax)[3] == "2 other columns"
    moves = [bar.get_width() for bar in ax.patches[1:-1]]
    k = result.predictions[0].argmax()
    assert sum(moves) == pytest.approx(result.values[0, :, k].sum())
    # the other pictures of attributions hold for it as well
    assert len(result.plot("bar").patches) == 4 * 3
    with pytest.raises(ValueError, match="one of the 2 explained rows"):
        result.plot(sample=2)


def test_importance_is_cut_and_says_so():
    X = np.random.default_rng(0).normal(size=(50, 20))
    model = LogisticRegression().fit(X, np.arange(50) % 2)
    ax = explain.permutation_importance(model, X, np.arange(50) % 2).plot()
    assert len(labels(ax)) == 12
    assert "12 of 20 columns" in ax.get_title()


def test_effects_are_numbers_beside_bars(people, people_model):
    frame, _ = people
    result = explain.average_conditional_effects(people_model, frame)
    ax = result.plot()
    table = result.frame()
    told = texts(ax)
    assert {f"{effect:+.3g}" for effect in table["effect"]} <= told
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


def test_counterfactuals_are_told_in_words(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(people_model, frame[:6], background=frame)
    ax = result.plot()
    told = texts(ax)
    for change in result.changes().itertuples():
        old = "(missing)" if pd.isna(change.old) else f"{change.old}"
        assert any(f"{old} → {change.new}" in text for text in told)
    assert labels(ax)[0] == f"row 0 → {result.frame()['target'][0]}"


def test_counterfactuals_are_cut_and_say_so(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(people_model, frame[:9], background=frame)
    ax = result.plot(max_display=2)
    assert len(labels(ax)) == 2
    assert "2 of 9 rows" in ax.get_title()
    # columns that change in the rows that are shown
    changes = result.changes()
    shown = set(changes[changes["row"] < 2]["feature"])
    assert {text.get_text() for text in ax.get_xticklabels()} == shown


def test_counterfactuals_that_change_nothing(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(
        people_model, frame[:6], background=frame, target_class="perhaps",
        fixed="grade",
    )  # fmt: skip
    ax = result.plot()
    predicted = people_model.predict(frame[:6])
    assert labels(ax) == [
        f"row {i}: already perhaps"
        if predicted[i] == "perhaps"
        else f"row {i} → perhaps: not found"
        for i in range(6)
    ]


def test_hostile_names(hostile):
    model, X, y = hostile
    for result in (
        explain.permutation_importance(model, X, y, random_state=0),
        explain.average_conditional_effects(model, X),
        explain.break_down(model, X[:2], background=X),
        explain.counterfactuals(model, X[:4], background=X),
        explain.lime(model, X[:2], background=X, random_state=0),
    ):
        ax = np.ravel(result.plot())[0]
        ax.figure.canvas.draw()  # mathtext would fail here, or change the name
        assert all(len(label) <= 62 for label in labels(ax))


@pytest.mark.parametrize("max_display", [0, 2.5])
def test_bad_arguments(max_display, iris_model):
    model, X, _ = iris_model
    for result in (
        explain.break_down(model, X[:2], background=X),
        explain.counterfactuals(model, X[:2], background=X),
        explain.average_conditional_effects(model, X),
    ):
        with pytest.raises(ValueError, match="`max_display` must be a whole number"):
            result.plot(max_display=max_display)
