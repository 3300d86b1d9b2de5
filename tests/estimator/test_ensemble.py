"""Ensembles: networks trained as one stack, whose mean predicts."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score

from skdnn import DNNClassifier


def ensemble(n_estimators=3, **parameters):
    settings = {
        "n_estimators": n_estimators,
        "learning_rate_init": 0.01,
        "max_iter": 20,
        "n_iter_no_change": np.inf,
        "batch_size": 32,
        "random_state": 0,
    }
    return DNNClassifier((8,), **settings | parameters)


@pytest.fixture(scope="module")
def bagged(iris):
    return ensemble(12, bootstrap=True, oob_score=True, max_iter=60).fit(*iris)


def test_probabilities_are_the_mean_of_the_members(iris):
    X, _ = iris
    fitted = ensemble().fit(*iris)
    each = fitted.predict_members(X)
    assert each.shape == (3, 150, 3)
    for member, proba in zip(fitted.estimators_, each, strict=True):
        assert type(member) is DNNClassifier
        np.testing.assert_array_equal(member.predict_proba(X), proba)
    np.testing.assert_allclose(fitted.predict_proba(X), each.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        fitted.predict_log_proba(X), np.log(each.mean(axis=0)), rtol=1e-9
    )
    np.testing.assert_allclose(
        fitted.model_.predict(X, verbose=0), each.mean(axis=0), atol=1e-6
    )


def test_a_member_is_the_network_trained_alone(iris):
    X, _ = iris
    fitted = ensemble(validation_fraction=0.2, dropout=0.2).fit(*iris)
    for member in fitted.estimators_:
        alone = ensemble(
            1, validation_fraction=0.2, dropout=0.2, random_state=member.random_state
        ).fit(*iris)
        np.testing.assert_array_equal(alone.predict_proba(X), member.predict_proba(X))
        assert alone.loss_curve_ == member.loss_curve_


def test_through_xla_and_in_threads_a_member_is_the_same_to_a_hundredth(
    iris, monkeypatch
):
    from skdnn._training import execution

    X, _ = iris
    plain = ensemble().fit(*iris)
    monkeypatch.setattr(execution, "XLA_PAYS_STEPS", 0)
    compiled = ensemble().fit(*iris)
    difference = plain.predict_members(X) - compiled.predict_members(X)
    assert 0 < np.abs(difference).max() < 1e-2


def test_history_is_the_mean_over_those_that_ran_so_long(iris):
    fitted = ensemble(early_stopping=True, n_iter_no_change=2, max_iter=40, tol=1e-2)
    fitted.fit(*iris)
    lengths = {len(member.history_) for member in fitted.estimators_}
    assert len(lengths) > 1  # each ends by itself
    assert fitted.n_iter_ == len(fitted.history_) == max(lengths)
    last = [m.history_["loss"] for m in fitted.estimators_ if m.n_iter_ == max(lengths)]
    assert fitted.history_["loss"].iloc[-1] == pytest.approx(
        np.mean([loss.iloc[-1] for loss in last])
    )
    assert fitted.loss_ == fitted.loss_curve_[-1]
    assert fitted.t_ == sum(member.t_ for member in fitted.estimators_)


def test_out_of_bag_rows_are_predicted_by_networks_that_have_not_seen_them(
    bagged, iris
):
    X, y = iris
    proba = bagged.oob_decision_function_
    covered = ~np.isnan(proba).any(axis=1)
    assert covered.mean() > 0.95
    np.testing.assert_allclose(proba[covered].sum(axis=1), 1)
    assert bagged.oob_score_ == accuracy_score(
        y[covered], proba[covered].argmax(axis=1)
    )
    # the draws, made again from the members' seeds
    totals, counts = np.zeros((150, 3)), np.zeros(150)
    for member in bagged.estimators_:
        random_state = np.random.RandomState(member.random_state)
        random_state.uniform(size=4 * 8 + 8 + 8 * 3 + 3)  # the starting weights
        unseen = np.setdiff1d(np.arange(150), random_state.choice(np.arange(150), 150))
        assert 0.25 < len(unseen) / 150 < 0.5
        totals[unseen] += member.predict_proba(X[unseen])
        counts[unseen] += 1
    np.testing.assert_allclose(
        proba[covered], totals[covered] / counts[covered][:, None], rtol=1e-12
    )


def test_out_of_bag_score_is_honest_where_labels_are_noise():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5)), rng.integers(0, 2, 100)
    fitted = ensemble(15, bootstrap=True, oob_score=True, max_iter=150)
    fitted.set_params(learning_rate_init=0.05).fit(X, y)
    assert fitted.score(X, y) > 0.8
    assert fitted.oob_score_ < 0.65


def test_warns_of_rows_that_every_network_used(iris):
    with pytest.warns(UserWarning, match=r"\d+ of 150 rows were used by every member"):
        fitted = ensemble(2, bootstrap=True, oob_score=True).fit(*iris)
    missing = np.isnan(fitted.oob_decision_function_).any(axis=1)
    assert 0.2 < missing.mean() < 0.6  # (1 - 1/e)² = 0.4


def test_no_copy_of_a_validation_row_is_trained_on(iris, monkeypatch):
    from skdnn._estimator import network_training

    tasks_trained = []
    train = network_training.train_stack
    monkeypatch.setattr(
        network_training,
        "train_stack",
        lambda fits: (tasks_trained.extend(fits), train(fits))[1],
    )
    ensemble(bootstrap=True, validation_fraction=0.2).fit(*iris)
    assert len(tasks_trained) == 3
    for fit in tasks_trained:
        assert len(fit.held_out) == 30
        assert fit.n_train == 120
        assert len(np.unique(fit.positions)) < 100
        assert not np.intersect1d(fit.positions, fit.held_out).size


def test_one_network_on_drawn_rows_is_an_ensemble_of_one(iris):
    fitted = ensemble(1, bootstrap=True).fit(*iris)
    assert len(fitted.estimators_) == 1


def test_several_labels_a_row():
    X, y = make_multilabel_classification(80, n_classes=3, random_state=0)
    fitted = ensemble(6, bootstrap=True, oob_score=True, max_iter=40).fit(X / 10, y)
    assert fitted.predict(X / 10).shape == (80, 3)
    assert 0 < fitted.oob_score_ <= 1


def test_same_seed_same_bits_and_pickles(bagged, iris):
    X, y = iris
    again = clone(bagged).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), bagged.predict_proba(X))
    loaded = pickle.loads(pickle.dumps(bagged))
    np.testing.assert_array_equal(loaded.predict_proba(X), bagged.predict_proba(X))


def test_goes_on(iris):
    X, y = iris
    fitted = ensemble(warm_start=True, max_iter=5).fit(X, y)
    fitted.fit(X, y)
    assert (fitted.n_iter_, len(fitted.history_)) == (5, 10)
    with pytest.raises(ValueError, match=r"there are: 3\. Got n_estimators=4"):
        fitted.set_params(n_estimators=4).fit(X, y)
    stream = ensemble()
    for _ in range(3):
        stream.partial_fit(X, y, classes=[0, 1, 2])
    assert (stream.n_iter_, len(stream.history_)) == (1, 3)
    with pytest.raises(ValueError, match="bootstrap"):
        ensemble(bootstrap=True).partial_fit(X, y, classes=[0, 1, 2])


def test_tells_of_its_members(bagged):
    text = bagged.summary()
    assert "12 networks that differ in their bootstrap samples" in text
    assert f"out-of-bag accuracy {bagged.oob_score_:.3f}" in text
    assert "0 33%, 1 33%, 2 33%" in text
    bagged.plot_history()
    bagged.plot_network()
    with pytest.raises(AttributeError, match=r"Use estimators_\[0\].coefs_"):
        _ = bagged.coefs_


def test_warns_once_for_all(iris):
    with pytest.warns(
        ConvergenceWarning, match="3 of 3 members: Training reached"
    ) as w:
        ensemble(n_iter_no_change=10, max_iter=12).fit(*iris)
    assert len(w) == 1


def test_a_refit_with_one_network_leaves_no_member_behind(iris):
    fitted = ensemble().fit(*iris)
    fitted.set_params(n_estimators=1).fit(*iris)
    assert not hasattr(fitted, "estimators_")
    assert fitted.coefs_[0].shape == (4, 8)


def test_bad_input(iris):
    with pytest.raises(ValueError, match="oob_score=True needs rows"):
        ensemble(oob_score=True).fit(*iris)
    with pytest.raises(ValueError, match="'n_estimators' parameter"):
        ensemble(0).fit(*iris)
    weight = np.zeros(150)
    weight[[3, 77]] = 1  # most samples miss both
    with pytest.raises(ValueError, match="every bootstrap sample"):
        ensemble(40, bootstrap=True).fit(*iris, sample_weight=weight)


def test_members_that_differ_are_better_together():
    X, y = make_classification(400, 20, n_informative=4, flip_y=0.2, random_state=1)
    from sklearn.metrics import log_loss

    fitted = ensemble(8, max_iter=60).fit(X[:200], y[:200])
    losses = [log_loss(y[200:], p) for p in fitted.predict_members(X[200:])]
    assert log_loss(y[200:], fitted.predict_proba(X[200:])) < min(losses)
