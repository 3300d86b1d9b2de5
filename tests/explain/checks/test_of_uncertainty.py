"""Checks of sets, members and unusual rows, on results with given numbers."""

from dataclasses import replace

import numpy as np
import pytest
from oracles import WithSets

from skdnn import explain
from skdnn.explain import Uncertainty


def finding(result, code):
    return next(one for one in result.checks() if one.code == code)


def rows(n=30, n_several=0, n_disagree=0, p_unusual=0.5, n_unusual=0):
    sets = np.zeros((n, 2), dtype=bool)
    sets[:, 0] = True
    sets[:n_several, 1] = True
    votes = np.tile([8, 0], (n, 1))
    votes[:n_disagree] = [6, 2]
    p = np.full(n, 0.5)
    p[:n_unusual] = 0.01
    return Uncertainty(
        class_names=np.array(["a", "b"]), predicted=np.zeros(n, dtype=int),
        reasons=np.full(n, "", dtype=object), sets=sets, confidence_level=0.9,
        votes=votes, p_values=p, n_calibration=99, p_unusual=p_unusual,
        member="network",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "silent", "fires"),
    [
        ("SKD115", {"n_several": 10}, {"n_several": 11}),
        ("SKD116", {"n_disagree": 3}, {"n_disagree": 4}),
        (
            "SKD117",
            {"n_unusual": 4, "p_unusual": 0.06},
            {"n_unusual": 5, "p_unusual": 0.05},
        ),
    ],
)
def test_of_rows(code, silent, fires):
    assert finding(rows(**silent), code).verdict == "silent"
    fired = finding(rows(**fires), code)
    assert fired.verdict == "fires"
    assert fired.remedy
    assert fired.words.replace("\xa0", " ").startswith(
        {"SKD115": "11 of 30 rows could", "SKD116": "For 4 of 30 rows, a quarter"}.get(
            code, "5 of 30 rows are unusual beside the training rows (p ≤ 0.05); 1.5"
        )
    )


def test_what_is_not_known_does_not_apply():
    one = replace(rows(), sets=None, votes=None, p_values=None)
    for code in ("SKD115", "SKD116", "SKD117"):
        assert finding(one, code).verdict == "not applicable"
    assert finding(rows()[[0, 1]], "SKD117").verdict == "not applicable"
    for code in ("SKD113", "SKD114"):
        assert finding(rows(), code).words == "Applies to performance only."


def performance(shift, by=None, n=400):
    """Return the performance of sets whose rows have the classes of other ones."""
    rng = np.random.default_rng(0)
    model = WithSets(lambda X: 1 / (1 + np.exp(-3 * X[:, 0])))
    X = rng.normal(size=(n, 2))
    p = model.predict_proba(X)[:, 1]
    y = rng.random(n) < np.where(shift(X), 1 - p, p)
    groups = None if by is None else by(X)
    return explain.performance(model, X, y, by=groups, random_state=0)


def test_of_scores():
    good = performance(lambda X: np.zeros(len(X), dtype=bool))
    assert finding(good, "SKD113").verdict == "silent"
    assert finding(good, "SKD114").verdict == "not applicable"
    bad = performance(lambda X: X[:, 1] > 0)
    row = bad.sets.set_index("confidence_level").loc[0.9]
    assert row["ci_high"] < 0.9
    fired = finding(bad, "SKD113")
    assert fired.verdict == "fires"
    assert f"{100 * row['coverage']:.0f}% (" in fired.words
    for high, verdict in ((0.91, "silent"), (0.89, "fires")):
        near = good.sets.assign(coverage=0.88, ci_low=0.85, ci_high=high)
        assert finding(replace(good, sets=near), "SKD113").verdict == verdict
    without = replace(bad, sets=None)
    assert finding(without, "SKD113").verdict == "not applicable"


def test_of_groups():
    def side(X):
        return np.where(X[:, 1] > 0, "right", "left")

    differs = performance(lambda X: X[:, 1] > 0, side)
    fired = finding(differs, "SKD114")
    table = differs.groups[differs.groups["score"] == "coverage"].set_index("group")
    shares = [f"{100 * table.loc[name, 'value']:.0f}%" for name in ("right", "left")]
    assert fired.verdict == "fires"
    assert f"{shares[0]} of right against {shares[1]} of all others" in fired.words
    alike = performance(lambda X: np.zeros(len(X), dtype=bool), side)
    assert finding(alike, "SKD114").verdict == "silent"
    assert "In none of 2 groups of group" in finding(alike, "SKD114").words
