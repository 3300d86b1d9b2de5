"""The network that a table gets where no layers are given."""

import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import accuracy_score, log_loss

from skdnn import DNNClassifier, explain
from skdnn._estimator import recipe_training
from skdnn._estimator.calibration import OutOfFoldScores
from skdnn._estimator.recipe import values_for
from skdnn._estimator.recipe_trial import Trial
from skdnn._network import prediction
from skdnn._training.loop import train
from skdnn._training.stacks import Rounds
from skdnn._training.task import Stopping
from skdnn.exceptions import BaselineWarning

# private: _spec, _weights, _columns, _encoder and _training_summary show which network
# the recipe built, on which rows; none of it is a public attribute

EPOCHS = 3


def recipe(**parameters):
    """Return a classifier by the recipe, of few epochs."""
    return DNNClassifier(**{"max_iter": EPOCHS, "random_state": 0} | parameters)


@pytest.fixture(scope="module")
def fitted(passengers):
    """A network by the recipe on strings, booleans and missing cells."""
    X, y = passengers
    return recipe().fit(X, y)


@pytest.fixture
def stacks(monkeypatch):
    """The tasks that the recipe has trained, their logits and results, by stage."""
    recorded = []

    class Recording(Rounds):
        def __init__(self, tasks):
            super().__init__(tasks)
            self.tasks, self.logits = tasks, [[] for _ in tasks]
            recorded.append(self)

        def advance(self, n_epochs):
            super().advance(n_epochs)
            for training, own in zip(self.trainings, self.logits, strict=True):
                own += training._loop.logits  # private: taken by the recipe after this

    monkeypatch.setattr(recipe_training, "Rounds", Recording)
    return recorded


@pytest.mark.parametrize(
    ("n", "n_classes", "expected"),  # in the order of the fields
    [
        (99, 2, (0, 1, 64, 8, 4, 0.015, 99, 48, 1.0)),
        (150, 2, (4, 1, 64, 8, 4, 0.02, 16, 64, 0.1)),
        (2000, 2, (4, 1, 64, 8, 4, 0.02, 32, 64, 0.05)),
        (5000, 2, (4, 1, 128, 16, 0, 0.04, 128, 64, 0.02)),
        (10_000, 2, (4, 2, 128, 32, 0, 0.04, 256, 30, 0.01)),
        (10_000, 3, (4, 2, 128, 32, 0, 0.04, 256, 38, 0.01)),
        (10_000, 1000, (4, 2, 128, 32, 0, 0.04, 256, 64, 0.01)),
        (30_000, 2, (4, 7, 128, 32, 0, 0.04, 256, 13, 100 / 30_000)),
        (500_000, 2, (4, 125, 128, 32, 0, 0.04, 256, 8, 100 / 500_000)),
    ],
)
def test_values_by_rows_and_classes(n, n_classes, expected):
    values = values_for(n, n_classes)
    assert tuple(vars(values).values()) == pytest.approx(expected)


def test_a_table_as_it_stands(fitted, passengers):
    X, y = passengers
    assert fitted._spec.members == 8
    assert fitted.score(X, y) > 0.75
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), proba)
    assert len(fitted.history_) == fitted.n_iter_ <= EPOCHS
    assert fitted.history_[["val_loss", "val_accuracy"]].notna().all(axis=None)
    assert fitted.loss_ == fitted.loss_curve_[-1]
    rows = fitted._encoder.encode(fitted._columns.matrix(X))
    np.testing.assert_allclose(fitted.model_(rows).numpy(), proba, atol=1e-6)
    with pytest.raises(AttributeError, match="plain layers only"):
        fitted.coefs_  # noqa: B018


def test_float32_changes_probabilities_by_less_than_a_millionth(fitted, passengers):
    X, _ = passengers
    assert fitted._spec.dtype == "float32"
    proba = fitted.predict_proba(X)
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-14)
    exact = prediction.Predictor(
        replace(fitted._spec, dtype="float64"),
        [array.astype(np.float64) for array in fitted._weights],
    ).proba(fitted._encoder.encode(fitted._columns.matrix(X)))
    difference = np.abs(proba - exact).max()
    assert 0 < difference < 1e-6


def test_same_seed_same_bits(fitted, passengers):
    X, y = passengers
    again = recipe().fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    other = recipe(random_state=1).fit(X, y)
    assert not np.allclose(other.predict_proba(X), fitted.predict_proba(X))


def test_pickle_is_small_and_predicts_without_keras(fitted, passengers, tmp_path):
    X, _ = passengers
    data = pickle.dumps(fitted)
    weights = sum(array.nbytes for array in fitted._weights)
    assert len(data) < weights + 50_000
    (tmp_path / "net.pickle").write_bytes(data)
    X.to_pickle(tmp_path / "X.pickle")
    script = (
        "import pickle, sys, numpy, pandas\n"
        "from pathlib import Path\n"
        "at = Path(sys.argv[1])\n"
        "net = pickle.loads((at / 'net.pickle').read_bytes())\n"
        "proba = net.predict_proba(pandas.read_pickle(at / 'X.pickle'))\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
        "numpy.save(at / 'proba.npy', proba)\n"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    np.testing.assert_allclose(
        np.load(tmp_path / "proba.npy"), fitted.predict_proba(X), rtol=1e-12
    )


def test_every_row_is_left_out_twice_then_all_are_trained_on(passengers, stacks):
    X, y = passengers
    y = np.random.default_rng(0).permutation(y)  # whose best epoch is an early one
    net = recipe(max_iter=6).fit(X, y)
    first_stage, second_stage = stacks
    validated, whole = first_stage.tasks, second_stage.tasks
    counts = np.zeros(len(X), int)
    for fit in validated:
        held = np.setdiff1d(np.arange(len(X)), fit.positions)
        counts[held] += 1
        np.testing.assert_array_equal(fit.validation.X, fit.table.X[held])
        assert fit.stopping.max_iter == 6
    np.testing.assert_array_equal(counts, 2)
    for fit in whole:
        assert sorted(fit.positions) == list(range(len(X)))
    # the epoch is the one whose mean has the lowest loss on rows left out
    labels = validated[0].table
    rows = [np.setdiff1d(np.arange(len(X)), fit.positions) for fit in validated]
    losses = []
    for epoch in range(6):
        logs = [np.asarray(member[epoch]) for member in first_stage.logits]
        logs = [a - np.logaddexp.reduce(a, axis=1, keepdims=True) for a in logs]
        scores = OutOfFoldScores(rows, logs, labels.y, labels.weight, 2)
        losses.append((scores.loss(), scores.accuracy(), scores.inverse_temperature()))
    losses, accuracies, factors = np.array(losses).T
    best = int(losses.argmin())
    assert best < 5  # else nothing is cut off
    np.testing.assert_allclose(net._training_summary.tried_losses, losses)
    np.testing.assert_allclose(net.history_["val_loss"], losses[: best + 1])
    np.testing.assert_allclose(net.history_["val_accuracy"], accuracies[: best + 1])
    assert net._spec.inverse_temperature == pytest.approx(factors[best])
    # the second stage begins with the weights after an epoch before it
    start = best + 1 - whole[0].stopping.max_iter
    assert start <= 0.9 * (best + 1)
    for first, second in zip(validated, whole, strict=True):
        assert second.stopping.max_iter == best + 1 - start
        steps = second.schedule.n_steps // 6
        assert second.schedule.n_done == start * steps
        again = replace(first, stopping=Stopping(start))
        weights = train(again).weights if start else first.weights
        for a, b in zip(weights, second.weights, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    # the history is that of the networks that are kept
    stages = [stage.trainings for stage in (first_stage, second_stage)]
    records = [  # private: of each member, which no public attribute has
        first._loop.history[:start] + second._loop.history  # private: as above
        for first, second in zip(*stages, strict=True)
    ]
    assert net.n_iter_ == len(net.history_) == best + 1
    for name in ("loss", "accuracy"):
        means = np.mean([[r[name] for r in own] for own in records], axis=0)
        np.testing.assert_allclose(net.history_[name], means)
    assert net.loss_curve_ == net.history_["loss"].tolist()
    by = "the best number of 6 by rows left out in turn; the last epochs on all rows"
    assert by in net.summary()
    assert f"best epoch  {best + 1} of 6" in net.summary()
    linear_factors = [fit.schedule.piecewise_linear_factor for fit in whole]
    assert linear_factors == [0.0] * 4 + [0.3] * 4


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_members_of_a_large_table_leave_few_rows_out(stacks):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12_100, 3))
    # classes that do not depend on X, so that the best epoch is an early one
    y = rng.choice(3, len(X), p=[0.6, 0.37, 0.03])
    net = recipe(max_iter=6).fit(X, y)
    (stage,) = stacks
    rows = [np.setdiff1d(np.arange(len(X)), fit.positions) for fit in stage.tasks]
    counts = np.bincount(np.concatenate(rows), minlength=len(X))
    assert set(counts) == {0, 2}
    assert 4000 <= np.count_nonzero(counts) < 4100
    assert all(1000 <= len(own) < 1025 for own in rows)
    shares = [np.bincount(y[own]) / own.sum() for own in (counts > 0, counts == 0)]
    np.testing.assert_allclose(*shares, atol=1e-3)
    # the weights after the best epoch are kept, of all members
    losses = net._training_summary.tried_losses
    assert np.argmin(losses) == net.n_iter_ - 1 < 5  # else none is undone
    for i, fit in enumerate(stage.tasks):
        order = np.random.RandomState(fit.dropout_seed)  # as it was before the fit
        until = Stopping(net.n_iter_)
        again = replace(fit, stopping=until, random_state=order)
        weights = train(again, n_fits=100).weights  # with XLA as well
        for ours, theirs in zip(net._weights, weights, strict=True):
            np.testing.assert_allclose(ours[i], theirs, atol=1e-6)
    assert net.summary().count("rows left out in turn") == 1
    assert "on all rows" not in net.summary()


@pytest.mark.parametrize("how", ["own rows", "fraction", "early_stopping"])
def test_validation_rows_score_and_are_not_trained_on(how, passengers, stacks):
    X, y = passengers
    if how == "own rows":
        net = recipe().fit(X[60:], y[60:], X_val=X[:60], y_val=y[:60])
        n = 60
    elif how == "fraction":
        net, n = recipe(validation_fraction=0.25).fit(X, y), 60
    else:
        net, n = recipe(early_stopping=True).fit(X, y), 24
    assert net._training_summary.n_validation == n
    assert net._training_summary.n_train == 240 - n
    assert len(stacks) == 1  # nothing is trained on afterwards
    for fit in stacks[0].tasks:
        assert len(fit.positions) == 240 - n
        if how != "own rows":
            cut = net._training_summary.n_validation
            held = np.setdiff1d(np.arange(240), fit.positions)
            assert len(held) == cut
            for results_of, rows in [
                (fit.validation.X, fit.table.X[held]),
                (fit.validation.y, fit.table.y[held]),
            ]:
                np.testing.assert_allclose(
                    results_of.sum(axis=0), rows.sum(axis=0), rtol=1e-4, atol=1e-4
                )
    if how == "own rows":
        # other validation rows: the same networks, for some number of epochs
        other = recipe().fit(X[60:], y[60:], X_val=X[:30], y_val=y[:30])
        weights = [net._weights, other._weights]
        assert (net.n_iter_ == other.n_iter_) == all(map(np.array_equal, *weights))
    assert "by the validation rows" in net.summary()


def test_validation_loss_is_that_of_the_mean(passengers, stacks):
    X, y = passengers
    val = {"X_val": X[:80], "y_val": y[:80]}
    net = recipe().fit(X[80:], y[80:], **val)
    best = int(net.history_["val_loss"].to_numpy().argmin())
    logs = [member[best] for member in stacks[0].logits]
    proba = [np.exp(a) / np.exp(a).sum(axis=1, keepdims=True) for a in logs]
    mean = np.mean(proba, axis=0)
    row = net.history_.iloc[best]
    assert row["val_loss"] == pytest.approx(log_loss(y[:80], mean))
    results_of = net.classes_[mean.argmax(axis=1)]
    assert row["val_accuracy"] == accuracy_score(y[:80], results_of)
    # the networks that are kept are those of this epoch
    calibrated = mean**net._spec.inverse_temperature
    calibrated /= calibrated.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(net.predict_proba(X[:80]), calibrated, atol=1e-6)


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_no_copy_of_a_row_is_on_both_sides(n_estimators, passengers, stacks):
    X, y = passengers
    net = recipe(bootstrap=True, n_estimators=n_estimators).fit(X, y)
    for stage in stacks[::2]:
        for fit in stage.tasks:
            drawn = set(fit.positions.tolist())
            held = {row.tobytes() for row in fit.validation.X}
            assert not held & {fit.table.X[i].tobytes() for i in drawn}
            assert len(drawn) < len(X) * 0.7
    assert len(net.estimators_) == n_estimators
    assert net.score(X, y) > 0.7


def test_two_estimators(passengers):
    X, y = passengers
    net = recipe(n_estimators=2).fit(X, y)
    members = net.predict_members(X)
    assert members.shape == (2, len(X), 2)
    np.testing.assert_allclose(net.predict_proba(X), members.mean(axis=0))
    assert not np.allclose(members[0], members[1])
    rows = net._encoder.encode(net._columns.matrix(X))
    np.testing.assert_allclose(
        net.model_(rows).numpy(), net.predict_proba(X), atol=1e-6
    )
    assert "2 networks that differ in their seeds" in net.summary()


def test_given_values_win(passengers, stacks):
    X, y = passengers
    recipe(
        max_iter=2,
        learning_rate_init=0.011,
        batch_size=50,
        activation="tanh",
        dropout=[0.1, 0.2],
        alpha=0.5,
        l1_ratio=0.2,
        label_smoothing=0.02,
        weight_decay=0.3,
        beta_2=0.9,
        learning_rate="constant",
    ).fit(X, y)
    fit = stacks[1].tasks[0]
    assert [(h.activation, h.dropout) for h in fit.spec.hidden] == [
        ("tanh", 0.1),
        ("tanh", 0.2),
    ]
    assert fit.batch_size == 50
    numbers = replace(fit.schedule, n_done=0).numbers(0, 4)
    np.testing.assert_allclose(numbers[:, 0], 0.011)
    np.testing.assert_allclose(numbers[:, 1], 0.4)
    np.testing.assert_allclose(numbers[:, 2], 0.1)
    np.testing.assert_allclose(numbers[:, 3], 0.3)
    assert numbers[:, 4].max() <= 0.02
    assert fit.schedule.n_steps == 10
    assert fit.solver.make(pure=True).beta_2 == 0.9
    assert 1 <= fit.stopping.max_iter <= 2


def plain_cases():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)
    yield "callbacks", {"callbacks": [keras.callbacks.TerminateOnNaN()]}
    yield "warm_start", {"warm_start": True}
    yield "lbfgs", {"solver": "lbfgs"}
    yield "batch_norm", {"batch_norm": True}
    yield "function", {"activation": lambda x: keras.ops.relu(x) * 2}
    yield "schedule", {"learning_rate": schedule}
    yield "invscaling", {"solver": "sgd", "learning_rate": "invscaling"}
    yield "optimizer", {"solver": keras.optimizers.Adam(0.01)}
    yield "tuple", {"hidden_layer_sizes": (100,)}
    yield "muon", {"solver": "adafactor"}


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "parameters", [p for _, p in plain_cases()], ids=[n for n, _ in plain_cases()]
)
def test_what_leads_to_the_plain_network(parameters, iris):
    net = recipe(**parameters).fit(*iris)
    assert net._spec.encoding is None
    assert net._spec.widths == (4, 100, 3)


@pytest.mark.filterwarnings("ignore::skdnn.exceptions.BaselineWarning")
def test_data_that_lead_to_the_plain_network(iris):
    X, y = iris
    labels = np.eye(3, dtype=int)[y]
    assert recipe().fit(csr_matrix(X), y)._spec.encoding is None
    assert recipe().fit(X, labels)._spec.encoding is None
    net = recipe().partial_fit(X, y, classes=[0, 1, 2])
    assert net._spec.encoding is None
    assert recipe().fit(X, y)._spec.encoding is not None


def test_partial_fit_begins_anew_after_the_recipe(iris):
    X, y = iris
    net = recipe().fit(X, y)
    net.partial_fit(X, y)
    assert net._spec.encoding is None
    assert net.n_iter_ == 1


def test_below_100_rows_weights_are_repeats(passengers, stacks):
    X, y = (part[:80] for part in passengers)
    times = np.random.default_rng(0).integers(0, 3, 80)
    repeats = X.loc[X.index.repeat(times)]
    if len(repeats) >= 100:
        times[np.flatnonzero(times)[: len(repeats) - 99]] -= 1
        repeats = X.loc[X.index.repeat(times)]
    weighted = DNNClassifier(random_state=0, max_iter=6).fit(X, y, sample_weight=times)
    repeated = DNNClassifier(random_state=0, max_iter=6).fit(
        repeats, np.repeat(y, times)
    )
    assert len(stacks) == 2  # no rows are left out
    assert {fit.batch_size for fit in stacks[0].tasks} == {np.count_nonzero(times)}
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-8
    )
    assert weighted._spec.inverse_temperature == 1
    assert weighted.history_["val_loss"].isna().all()
    assert "ended with its schedule" in weighted.summary()


def test_rows_of_weight_zero_are_as_rows_that_are_not_there(passengers):
    X, y = passengers
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    weight[::3] = 0
    kept = weight > 0
    beside = recipe().fit(X, y, sample_weight=weight)
    alone = recipe().fit(X[kept], y[kept], sample_weight=weight[kept])
    np.testing.assert_array_equal(beside.predict_proba(X), alone.predict_proba(X))
    assert beside.summary().splitlines()[0] == alone.summary().splitlines()[0]
    # so few that some networks would have none
    weight[12:] = 0
    few = recipe(max_iter=12).fit(X, y, sample_weight=weight)
    assert np.isfinite(few.predict_proba(X)).all()


def test_words_and_pictures(fitted):
    text = fitted.summary()
    for word in (
        "240 rows to train on",
        "8 networks whose probabilities are averaged",
        "reliability",
        "expected calibration error",
        "by rows left out in turn",
        "The network learned",
    ):
        assert word in text
    ax = fitted.plot_history()
    assert len(ax.lines) >= 2
    labels = {t.get_text() for t in fitted.plot_network().texts}
    assert {"age", "alone"} <= labels
    assert any(label.startswith("deck") for label in labels)


@pytest.mark.slow
def test_explained_with_words_and_missing_cells(fitted, passengers):
    X, y = passengers
    results_of = explain.shap(fitted, X[:3], background=X[:20], random_state=0)
    assert results_of.feature_names == list(X.columns)
    total = results_of.base_values + results_of.values.sum(axis=1)
    np.testing.assert_allclose(total, fitted.predict_proba(X[:3]), atol=1e-6)
    assert np.abs(results_of.values[:, list(X.columns).index("sex")]).max() > 0.01
    html = explain.report(fitted, X[:12], y[:12], background=X[60:90])._repr_html_()
    assert "SHAP" in html
    assert "deck" in html


def test_a_copy_of_the_rows_is_left_alone(passengers):
    X, y = passengers
    before, labels = X.copy(), y.copy()
    state = np.random.get_state()[1].copy()
    net = recipe()
    parameters = net.get_params()
    net.fit(X, y)
    pd.testing.assert_frame_equal(X, before)
    np.testing.assert_array_equal(y, labels)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert net.get_params() == parameters


def test_float32_stays_float32(iris):
    X, y = iris
    net = recipe().fit(X.astype(np.float32), y)
    assert net.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert {w.dtype for w in net._weights} == {np.dtype(np.float32)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide = recipe().fit(X, y)
    np.testing.assert_allclose(
        net.predict_proba(X.astype(np.float32)), wide.predict_proba(X), atol=0.02
    )


def test_logits_that_are_not_held_change_nothing(passengers, monkeypatch):
    X, y = passengers
    held = recipe(max_iter=6).fit(X, y)
    monkeypatch.setattr(
        recipe_training, "_HELD_BYTES", 1
    )  # private: needs many classes
    predicted = recipe(max_iter=6).fit(X, y)
    np.testing.assert_allclose(
        predicted._training_summary.tried_losses,
        held._training_summary.tried_losses,
        rtol=1e-5,
    )
    np.testing.assert_array_equal(
        predicted.history_["val_accuracy"], held.history_["val_accuracy"]
    )
    for a, b in zip(held._weights, predicted._weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_cycle_that_makes_the_loss_larger_is_the_last(passengers):
    X, _ = passengers
    y = np.random.default_rng(0).permutation(len(X)) % 2  # nothing can be learned
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BaselineWarning)
        net = DNNClassifier(random_state=0, max_iter=30).fit(X, y)
    tried = net._training_summary.tried_losses
    assert len(tried) in (6, 14)  # the second or third cycle of 30 epochs
    ends = [tried[round(30 * share) - 1] for share in (1 / 15, 1 / 5, 7 / 15)
            if round(30 * share) <= len(tried)]  # fmt: skip
    assert ends[-1] > ends[-2]
    assert net.n_iter_ <= len(tried)
    # without cycles all epochs are tried
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BaselineWarning)
        net.set_params(learning_rate="constant").fit(X, y)
    assert len(net._training_summary.tried_losses) == 30


def test_is_clearly_worse_is_a_paired_test_over_rows():
    rng = np.random.default_rng(0)

    def trial_of(shift, n=400):
        trial, y = Trial(), rng.integers(0, 2, n)
        proba = rng.uniform(0.3, 0.7, (n, 1))
        noise = rng.normal(scale=0.05, size=(2, n, 1))
        verdicts = []
        for p in (proba + noise[0], proba + noise[1] + shift):
            p = np.where(y[:, None] == 1, p, 1 - p).clip(0.01, 0.99)
            p = np.hstack([1 - p, p])
            rows, weight = [np.arange(n)], np.ones(n)
            trial.add(OutOfFoldScores(rows, [np.log(p)], y, weight, 2))
            verdicts.append(trial.is_clearly_worse())
        assert not verdicts[0]
        return verdicts[1]

    assert np.mean([trial_of(0.0) for _ in range(200)]) < 0.06
    assert np.mean([trial_of(-0.02) for _ in range(50)]) > 0.95
    assert not any(trial_of(0.02) for _ in range(50))
