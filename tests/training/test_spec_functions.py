"""Compiled epochs of the recipe against a reference, step by step in NumPy."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.utils import check_random_state

from skdnn._network.initial_weights import bin_edges, data_driven_weights
from skdnn._network.keras_models import build_network, network_variables, set_weights
from skdnn._network.spec import Hidden, InputEncoding, NetworkSpec
from skdnn._tabular.dataset import Dataset
from skdnn._training import execution, loop, stacks
from skdnn._training.compiled_epochs import SpecEpochs
from skdnn._training.optimizers import solver_from_name
from skdnn._training.schedules import Schedule, coslog4, flat_cos
from skdnn._training.task import Penalties, Rate, Stopping, TrainingTask

FRONT = InputEncoding(n_numeric=2, n_flags=1, code_sizes=(9,), bins=3)
N, BATCH, EPOCHS = 52, 16, 3
RATE, DECAY, SMOOTHING, PLE_FACTOR = 0.05, 0.4, 0.1, 0.3
BETAS, EPSILON = (0.9, 0.95), 1e-8


def make_fit(dtype="float64", *, validated=False, hidden=None, l2=0.0, seed=1):
    rng = np.random.default_rng(0)
    X = np.column_stack(
        [
            rng.normal(size=(N, 2)),
            rng.integers(0, 2, N),
            rng.integers(0, 9, N),
        ]
    ).astype(dtype)
    rows = Dataset(
        X,
        rng.integers(0, 3, N).astype(np.int32),
        rng.uniform(0.5, 2, N).astype(dtype),
    )
    hidden = hidden or (Hidden(6, "selu"), Hidden(5, "selu"))
    spec = NetworkSpec(4, hidden, 3, "softmax", dtype, encoding=FRONT)
    edges = bin_edges(X[:, :2], rows.weight, FRONT.bins)
    weights = data_driven_weights(spec, X, rows.weight, edges, check_random_state(seed))
    # encodings and outputs that matter from the first step
    noise = check_random_state(2)
    weights = [
        (w + noise.normal(scale=0.3, size=w.shape)).astype(dtype) if a.trainable else w
        for a, w in zip(spec.arrays, weights, strict=True)
    ]
    penalties = Penalties(l2, 0.0, DECAY, SMOOTHING)
    return TrainingTask(
        spec=spec,
        weights=weights,
        solver=solver_from_name(
            "adam",
            momentum=0.9,
            nesterov=True,
            beta_1=BETAS[0],
            beta_2=BETAS[1],
            epsilon=EPSILON,
            schedule=None,
        ),
        optimizer_state=None,
        table=rows,
        positions=np.arange(N),
        validation=rows.take(np.arange(20)) if validated else None,
        held_out=None,
        batch_size=BATCH,
        shuffle=True,
        random_state=check_random_state(seed + 2),
        dropout_seed=seed - 1,
        rate=Rate(RATE),
        penalties=penalties,
        stopping=Stopping(max_iter=EPOCHS, tol=0.0, patience=np.inf, early=False),
        # longer than it is trained for: the schedule is not the count of epochs
        schedule=Schedule(RATE, 20, DECAY, SMOOTHING, l2, 0.0, PLE_FACTOR),
        keeps_logits=validated,
    )


def reference_training(fit):
    """Return weights after the epochs, losses, and logits of the rows after each."""
    network = build_network(fit.spec)
    set_weights(network, fit.spec, fit.weights)
    variables = network_variables(network, fit.spec)
    pairs = zip(fit.spec.arrays, variables, strict=True)
    trained = [(a.role, v) for a, v in pairs if a.trainable]
    factors = {"bias": 0.1, "scale": 6.0, "piecewise_linear": PLE_FACTOR}
    first = [np.zeros(v.shape) for _, v in trained]
    second = [np.zeros(v.shape) for _, v in trained]
    order = np.arange(N, dtype=np.int32)
    random_state, step, losses, logits = check_random_state(3), 0, [], []
    for _ in range(EPOCHS):
        random_state.shuffle(order)
        of_epoch = 0.0
        for start in range(0, N, BATCH):
            rows = order[start : start + BATCH]
            t = (step + 1) / fit.schedule.n_steps
            rate = RATE * coslog4(t)
            loss, gradients = reference_gradient(
                network, [v for _, v in trained], fit, rows, SMOOTHING * coslog4(t)
            )
            of_epoch += loss * len(rows)
            step += 1
            for i, (role, variable) in enumerate(trained):
                value, g = variable.numpy(), gradients[i]
                if role == "kernel":
                    value = value * (1 - rate * DECAY * flat_cos(t))
                first[i] = BETAS[0] * first[i] + (1 - BETAS[0]) * g
                second[i] = BETAS[1] * second[i] + (1 - BETAS[1]) * g**2
                # Keras corrects both means in the rate
                corrected = (
                    rate * np.sqrt(1 - BETAS[1] ** step) / (1 - BETAS[0] ** step)
                )
                moved = first[i] / (np.sqrt(second[i]) + EPSILON)
                variable.assign(value - corrected * factors.get(role, 1) * moved)
        losses.append(of_epoch / N)
        logits.append(network(fit.table.X).numpy())
    return [v.numpy() for v in variables], losses, logits


def reference_gradient(network, variables, fit, rows, smoothing):
    X, y, weight = (part[rows] for part in (fit.table.X, fit.table.y, fit.table.weight))
    targets = np.eye(3)[y] * (1 - smoothing) + smoothing / 3
    import tensorflow as tf

    raw = [v.value for v in variables]
    with tf.GradientTape() as tape:
        log_p = tf.nn.log_softmax(network(X, training=True))
        loss = -tf.reduce_sum(tf.reduce_sum(targets * log_p, axis=1) * weight)
        loss /= weight.sum()
        for description, variable in zip(
            [a for a in fit.spec.arrays if a.trainable], raw, strict=True
        ):
            if description.role == "kernel":
                square = tf.reduce_sum(tf.square(variable)) / variable.shape[0]
                loss += 0.5 * fit.penalties.l2 * square / weight.sum()
    gradients = tape.gradient(loss, raw)
    return float(loss), [tf.convert_to_tensor(g).numpy() for g in gradients]


def choose(how, monkeypatch):
    """Have epochs compiled in one of three ways."""
    monkeypatch.setattr(execution, "XLA_PAYS_STEPS", np.inf if how == "graph" else 0)
    by_array = how == "xla by array"
    monkeypatch.setattr(execution, "ARRAYS_PAY_STEPS", 0 if by_array else np.inf)


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("how", ["graph", "xla", "xla by array"])
def test_same_weights_as_step_by_step(how, l2, monkeypatch):
    choose(how, monkeypatch)
    fit = make_fit(l2=l2)
    fitted = loop.train(fit)
    weights, losses, _ = reference_training(make_fit(l2=l2))
    moved = 0
    for array, ours, slow, before in zip(
        fit.spec.arrays, fitted.weights, weights, fit.weights, strict=True
    ):
        np.testing.assert_allclose(ours, slow, atol=1e-9, err_msg=array.role)
        moved += not np.array_equal(ours, before)
    assert moved == sum(array.trainable for array in fit.spec.arrays)
    observed = [record["loss"] for record in fitted.history]
    np.testing.assert_allclose(observed, losses, rtol=1e-9)


def logits_of(fit):
    training = loop.Training(fit)
    training.run()
    return training.take_logits()


@pytest.mark.parametrize("how", ["graph", "xla", "xla by array"])
def test_logits_of_every_epoch(how, monkeypatch):
    choose(how, monkeypatch)
    together = logits_of(make_fit(validated=True))
    _, _, logits = reference_training(make_fit())
    assert len(together) == EPOCHS
    for ours, slow in zip(together, logits, strict=True):
        np.testing.assert_allclose(ours, slow[:20], atol=1e-9)
    # and computed between epochs, where they do not fit into one call
    monkeypatch.setattr(SpecEpochs, "logit_epochs", 0)
    apart = logits_of(make_fit(validated=True))
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_training_that_ends_earlier_is_the_beginning_of_the_longer():
    short = make_fit()
    short = replace(short, stopping=replace(short.stopping, max_iter=2))
    fitted, longer = loop.train(short), loop.train(make_fit())
    assert [r["loss"] for r in fitted.history] == [
        r["loss"] for r in longer.history[:2]
    ]


def test_rounds_of_epochs_are_the_whole_training():
    whole, training = loop.train(make_fit()), loop.Training(make_fit())
    for n_epochs in (1, EPOCHS - 1, 5):
        training.run(n_epochs=n_epochs)
    assert training.n_epochs == EPOCHS
    for one, other in zip(whole.weights, training.result().weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_piecewise_linear_encodings_of_rate_zero_are_unchanged():
    fit = make_fit()
    fit = replace(fit, schedule=replace(fit.schedule, piecewise_linear_factor=0.0))
    fitted = loop.train(fit)
    np.testing.assert_array_equal(fitted.weights[0], fit.weights[0])
    assert not np.allclose(fitted.weights[1], fit.weights[1])


def test_dropout_and_precision():
    hidden = (Hidden(6, "selu", dropout=0.3), Hidden(5, "selu"))
    fits = [make_fit("float32", hidden=hidden) for _ in range(2)]
    first, second = (loop.train(fit) for fit in fits)
    for a, b in zip(first.weights, second.weights, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    assert not np.allclose(first.weights[2], loop.train(make_fit("float32")).weights[2])


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="other: in threads")
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_networks_that_step_together_are_those_trained_alone(dropout):
    hidden = (Hidden(6, "selu", dropout=dropout), Hidden(5, "selu"))
    tasks = [
        make_fit("float32", validated=True, hidden=hidden, seed=seed)
        for seed in (1, 2, 3)
    ]
    together = stacks.Rounds(tasks)
    assert len(together._groups) == 1  # private: nothing public shows it
    for n_epochs in (1, 2):
        together.advance(n_epochs)
    tasks = [
        make_fit("float32", validated=True, hidden=hidden, seed=seed)
        for seed in (1, 2, 3)
    ]
    alone = [loop.Training(task) for task in tasks]
    for one, other in zip(together.trainings, alone, strict=True):
        other.run()
        assert len(one.weights()) == len(other.weights())
        for a, b in zip(one.weights(), other.weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
        for a, b in zip(one.take_logits(), other.take_logits(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)
    losses = [result.history[-1]["loss"] for result in together.results()]
    np.testing.assert_allclose(
        losses, [t.result().history[-1]["loss"] for t in alone], rtol=1e-5
    )
    assert len(set(losses)) == 3
