import pandas as pd
from drawn import labels, texts

from skdnn import explain


def test_cells_before_and_after(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(people_model, frame[:6], background=frame)
    ax = result.plot()
    drawn = texts(ax)
    for change in result.changes().itertuples():
        old = "(missing)" if pd.isna(change.old) else f"{change.old}"
        assert any(f"{old} → {change.new}" in text for text in drawn)
    assert labels(ax)[0] == f"row 0 → {result.frame()['target'][0]}"


def test_many_rows_are_cut(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(people_model, frame[:9], background=frame)
    ax = result.plot(max_display=2)
    assert len(labels(ax)) == 2
    assert "2 of 9 rows" in ax.get_title()
    # columns that change in the rows that are shown
    changes = result.changes()
    shown = set(changes[changes["row"] < 2]["feature"])
    assert {text.get_text() for text in ax.get_xticklabels()} == shown


def test_rows_without_changes(people, people_model):
    frame, _ = people
    result = explain.counterfactuals(
        people_model, frame[:6], background=frame, target_class="perhaps",
        actionable={"grade": False},
    )  # fmt: skip
    ax = result.plot()
    predicted = people_model.predict(frame[:6])
    assert labels(ax) == [
        f"row {i}: already perhaps"
        if predicted[i] == "perhaps"
        else f"row {i} → perhaps: not found"
        for i in range(6)
    ]
