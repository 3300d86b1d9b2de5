"""The score of a procedure that chooses."""

import numpy as np
import pytest

from skdnn._search.nested import NestedScores


@pytest.fixture
def nested():
    return NestedScores(
        scores=np.array([0.9, 0.8, 1.0]),
        inner_scores=np.array([0.95, 0.9, 0.97]),
        n_train=np.array([100, 100, 100]),
        n_test=np.array([50, 50, 50]),
        params=[{"alpha": 0.1}, {"alpha": 0.2, "solver": "sgd"}, {"alpha": 0.1}],
    )


def test_interval_is_nadeau_and_bengios(nested):
    # variance .01, times 1/3 + 50/100; t(0.975, 2) = 4.30265
    assert nested.score == pytest.approx(0.9)
    assert nested.std_error == pytest.approx(np.sqrt(0.01 * (1 / 3 + 1 / 2)))
    low, high = nested.interval()
    assert high - 0.9 == pytest.approx(4.302652730 * nested.std_error)
    assert low + high == pytest.approx(2 * 0.9)
    assert nested.interval(0.5)[1] == pytest.approx(0.9 + 0.816497 * nested.std_error)
    with pytest.raises(ValueError, match="`level` must be between 0 and 1"):
        nested.interval(95)


def test_interval_holds_its_level():
    """Scores of overlapping folds: the corrected interval covers, the naive does not.

    Each fold's score is the mean of its own rows and of what all training parts share,
    so that scores correlate as Nadeau and Bengio assume: n_test / (n_test + n_train).
    """
    rng = np.random.default_rng(0)
    k, n_runs = 10, 4000
    rho = 1 / k
    shared = rng.normal(size=(n_runs, 1)) * np.sqrt(rho)
    scores = shared + rng.normal(size=(n_runs, k)) * np.sqrt(1 - rho)
    sizes = {"n_train": np.full(k, 900), "n_test": np.full(k, 100)}
    results = [NestedScores(row, row, **sizes, params=[{}] * k) for row in scores]
    bounds = np.array([result.interval() for result in results])
    covers = ((bounds[:, 0] < 0) & (bounds[:, 1] > 0)).mean()
    assert covers == pytest.approx(0.95, abs=0.015)


def test_frame_and_words(nested):
    frame = nested.frame()
    assert frame["alpha"].tolist() == [0.1, 0.2, 0.1]
    assert frame["solver"].isna().tolist() == [True, False, True]
    text = repr(nested)
    assert text.startswith("NestedScores: 0.9000, 95% interval 0.5072 to 1.2928 (3 ")
    assert "Nadeau and Bengio" in text
    assert len(text.splitlines()) == 5
    assert "nested" not in repr(nested.frame().columns)


def test_parameters_named_like_a_column_stand_beside_it(nested):
    clash = NestedScores(
        nested.scores, nested.inner_scores, nested.n_train, nested.n_test,
        [{"score": 1}] * 3,
    )  # fmt: skip
    assert clash.frame()["score_chosen"].tolist() == [1, 1, 1]
