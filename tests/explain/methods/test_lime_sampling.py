import numpy as np
import pandas as pd
import pytest

from skdnn.explain._methods.lime_sampling import Moves, Neighbourhood
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.players import players_of

N_ROWS = 20_000


class Constant:
    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def draw(frame, row, scale, groups=None):
    """Return rows around row number `row` of a frame, features and terms."""
    problem = open_problem(Constant(), frame)
    players = players_of(problem.target.feature_names, groups)
    moves = Moves.drawn(N_ROWS, len(players), 0)
    return Neighbourhood(problem, players).draw(problem.X[row], scale, moves)


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "normal": rng.normal(5, 2, 500),
            "whole": rng.poisson(9, 500) * 1.0,
            "few": rng.choice([0.0, 1.0, 2.5], 500),
            "odd": np.append(rng.normal(size=499), 1e6),
            "same": 3.0,
        }
    )


@pytest.mark.parametrize("scale", [1, 0.25])
def test_numbers_move_by_normal_steps(scale, numbers):
    rows, features, terms = draw(numbers, 0, scale)
    assert terms.shape == (N_ROWS, 0)
    for j, name in enumerate(numbers):
        column, moved = numbers[name], rows[:, j]
        assert column.min() <= moved.min() <= moved.max() <= column.max()
        spread = column.clip(*column.quantile([0.025, 0.975])).std(ddof=0)
        if name in ("normal", "odd"):  # in the middle of the range
            wide = moved.std() / (scale * spread)
            assert wide == pytest.approx(1, abs=0.05 if name == "normal" else 0.5)
    assert set(rows[:, 1] % 1) == {0}
    assert set(rows[:, 2]) <= {0.0, 1.0, 2.5}
    np.testing.assert_array_equal(rows[:, 4], 3)
    np.testing.assert_array_equal(features[:, 4], 0)


def test_narrow_steps_of_whole_numbers_are_rare_and_not_biased(numbers):
    middle = int(np.flatnonzero(numbers["whole"] == 9)[0])
    rows, _, _ = draw(numbers, middle, 0.0625)
    assert set(rows[:, 1]) == {8.0, 9.0, 10.0}
    assert (rows[:, 1] != 9).mean() == pytest.approx(
        0.0625 * numbers["whole"].clip(*numbers["whole"].quantile([0.025, 0.975])).std()
        * np.sqrt(2 / np.pi), abs=0.01,
    )  # fmt: skip
    assert rows[:, 1].mean() == pytest.approx(9, abs=1e-9)


def test_features_are_steps(numbers):
    problem = open_problem(Constant(), numbers)
    players = players_of(problem.target.feature_names, None)
    around = Neighbourhood(problem, players)
    moves = Moves.drawn(200, len(players), 0)
    low, high = numbers.quantile(0.025), numbers.quantile(0.975)
    steps = 0.5 * numbers.clip(low, high, axis=1).std(ddof=0).to_numpy()[:4]
    mean = numbers.mean().to_numpy()[:4]
    for row in problem.X[:30]:
        rows, features, _ = around.draw(row, 0.5, moves)
        np.testing.assert_allclose(row[:4] + features[:, :4] * steps, rows[:, :4])
        others, reached = around.compared(row, 0.5)
        others, reached = np.array(others[:4]), reached[:4]
        np.testing.assert_allclose(row[:4] + reached * steps, others)
        assert (np.sign(others - row[:4]) == np.sign(mean - row[:4])).all()
        assert np.abs(reached[[0, 3]]).max() <= 1 + 1e-9
        assert others[1] % 1 == 0
        assert others[2] in (0.0, 1.0, 2.5)


def test_the_second_half_mirrors_the_first(numbers):
    _, features, _ = draw(numbers, int(np.argsort(numbers["normal"])[250]), 0.25)
    first, second = np.split(features[:, 0], 2)
    np.testing.assert_allclose(first, -second, atol=1e-6)


def test_moves_depend_on_the_seed_alone():
    first, again, other = (Moves.drawn(10, 3, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.reach, again.reach)
    assert (first.reach != other.reach).all()
    assert (first.reach != first.choice).all()


def test_words_change_in_half_of_the_rows_at_most():
    frame = pd.DataFrame({"word": list("aaaaabbbcd") * 30, "x": np.arange(300.0)})
    for scale, share in ((1, 0.5), (0.25, 0.125), (0.0625, 0.0625)):
        rows, features, terms = draw(frame, 0, scale)
        is_moved = rows[:, 0] != 0
        np.testing.assert_array_equal(is_moved, features[:, 0])
        assert is_moved.mean() == pytest.approx(share, abs=0.01)
        counts = np.bincount(rows[is_moved, 0].astype(int), minlength=4)
        np.testing.assert_allclose(counts / counts.sum(), [0, 0.6, 0.2, 0.2], atol=0.05)
        # terms distinguish the other levels, and have mean 0 on them
        assert terms.shape[1] == 3
        np.testing.assert_allclose(terms[is_moved].mean(axis=0), 0, atol=0.02)
        np.testing.assert_array_equal(terms[~is_moved], 0)


def test_missing_cells_become_known_ones():
    frame = pd.DataFrame({"x": [np.nan, 1.0, 2.0, 3.0] * 50, "y": np.arange(200.0)})
    rows, features, _ = draw(frame, 0, 1)
    is_known = ~np.isnan(rows[:, 0])
    np.testing.assert_array_equal(is_known, features[:, 0])
    assert set(rows[is_known, 0]) == {1.0, 2.0, 3.0}
    rows, _, _ = draw(frame, 1, 1)
    assert not np.isnan(rows[:, 0]).any()


def test_groups_are_the_rows_or_those_of_another_row():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 3)), columns=list("abc"))
    frame["b"] = frame["a"] ** 2
    rows, features, terms = draw(frame, 0, 1, groups=[["a", "b"]])
    np.testing.assert_allclose(rows[:, 1], rows[:, 0] ** 2)
    is_moved = rows[:, 0] != frame.iloc[0, 0]
    np.testing.assert_array_equal(features[:, 0], is_moved)
    assert terms.shape[1] == 2


def test_cells_that_the_background_does_not_have():
    frame = pd.DataFrame(
        {"few": [0.0, 1.0] * 100, "same": 2.0, "word": ["a", "b"] * 100}
    )
    other = pd.DataFrame({"few": [0.4], "same": [5.0], "word": ["c"]})
    problem = open_problem(Constant(), other, background=frame)
    players = players_of(problem.target.feature_names, None)
    around = Neighbourhood(problem, players)
    rows, features, _ = around.draw(problem.X[0], 1, Moves.drawn(200, 3, 0))
    assert (rows[:, 0] >= 0).all()
    assert (rows[:, 0] <= 1).all()
    assert set(rows[:, 1]) == {2.0, 5.0}
    np.testing.assert_array_equal(rows[:, 1] == 2, features[:, 1])
    assert len(set(rows[:, 2])) == 3
