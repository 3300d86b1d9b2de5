import numpy as np
from oracles import Formula
from scipy.special import expit

from skdnn.explain._methods.lime_sampling import Moves, Neighbourhood
from skdnn.explain._methods.lime_scale import SCALES, find_scales, fit_around
from skdnn.explain._model.opening import open_problem
from skdnn.explain._model.players import players_of


def opened(function, X):
    problem = open_problem(Formula(function), X, output="log_odds")
    return problem, Neighbourhood(
        problem, players_of(problem.target.feature_names, None)
    )


def test_rows_together_are_fitted_as_each_alone():
    X = np.random.default_rng(0).normal(size=(30, 3))
    problem, around = opened(lambda X: expit(np.sin(X).sum(axis=1)), X)
    moves = Moves.drawn(200, 3, 0)
    scales = np.tile([1.0, 0.25, 0.5], 10)
    together = fit_around(problem, around, problem.X, scales, moves)
    for i in (0, 13, 29):
        (alone,) = fit_around(problem, around, problem.X[[i]], scales[[i]], moves)
        np.testing.assert_allclose(together[i].coefs, alone.coefs, rtol=1e-9)
        np.testing.assert_allclose(together[i].score, alone.score)


def test_scales_are_the_widest_that_fit():
    X = np.random.default_rng(0).normal(size=(200, 2))
    problem, around = opened(lambda X: expit(np.sin(3 * X[:, 0]) + X[:, 1]), X)
    some = problem.take(range(12))
    widest, n_rows = find_scales(some, around)
    moves = Moves.drawn(4000, 2, 7)
    fits = np.array(
        [
            [
                s.score.min()
                for s in fit_around(some, around, some.X, [scale] * 12, moves)
            ]
            for scale in SCALES
        ]
    )
    for i, scale in enumerate(widest):
        at = SCALES.index(scale)
        assert fits[at, i] > 0.88
        assert (fits[:at, i] < 0.92).all()
    assert len(set(widest)) > 1
    assert SCALES == (1, 1 / 2, 1 / 4, 1 / 8, 1 / 16)
    assert n_rows % 400 == 0
    assert n_rows >= 400 * (1 + SCALES.index(widest.min()))


def test_without_a_fit_the_best_scale_is_taken():
    X = np.random.default_rng(0).normal(size=(200, 2))
    problem, around = opened(lambda X: 0.2 + 0.6 * (X[:, 0] > 0.2), X)
    some = problem.take(np.argsort(np.abs(problem.X[:, 0]))[:1])
    widest, n_rows = find_scales(some, around)
    assert n_rows == 400 * len(SCALES)
    moves = Moves.drawn(4000, 2, 7)
    fits = [
        fit_around(some, around, some.X, [scale], moves)[0].score.min()
        for scale in SCALES
    ]
    assert max(fits) < 0.9
    assert fits[SCALES.index(widest[0])] > max(fits) - 0.05
