"""The compiled epoch and its reference, ``keras.Model.fit``, give the same weights."""

import numpy as np
import pytest
from tasks import training_task

from skdnn._network import keras_layers
from skdnn._network.spec import Hidden
from skdnn._runtime import caches
from skdnn._training import execution, loop
from skdnn._training.compiled_epochs import program_for
from skdnn._training.keras_fallback import KerasEpochs


def compiled_and_reference(monkeypatch, *args, **kwargs):
    fast = loop.train(training_task(*args, **kwargs))
    with monkeypatch.context() as patch:
        # private: no public option sends a fit through the reference
        patch.setattr(loop, "_choose_epochs", lambda fit, *_: KerasEpochs(fit))
        slow = loop.train(training_task(*args, **kwargs))
    return fast, slow


FLOAT32_ONLY = ("lamb", "muon")
PLAIN = (Hidden(8, "relu"), Hidden(6, "tanh"))
CASES = {
    "plain": (PLAIN, {}),
    "two classes": (PLAIN, {"n_classes": 2}),
    "no hidden layer": ((), {}),
    "dropout": ((Hidden(8, "relu", dropout=0.3), Hidden(6, "relu", dropout=0.1)), {}),
    "batch norm": ((Hidden(8, "relu", batch_norm=True), Hidden(6, "selu")), {}),
    "smoothing": (PLAIN, {"label_smoothing": 0.2}),
    "smoothing, two classes": (PLAIN, {"label_smoothing": 0.2, "n_classes": 2}),
    "elastic net": (PLAIN, {"l1": 0.05, "l2": 0.1}),
    "weight decay": (PLAIN, {"weight_decay": 0.5}),
    # what a step keeps in addition to weights: statistics, seeds, slots, a scalar
    "everything": (
        (
            Hidden(8, "relu", batch_norm=True, dropout=0.3),
            Hidden(6, "relu", batch_norm=True),
        ),
        {"solver": "nadam"},
    ),
    **{
        name: (PLAIN, {"solver": name})
        for name in [
            "adadelta",
            "adafactor",
            "adagrad",
            "adamax",
            "adamw",
            "ftrl",
            "lamb",
            "lion",
            "muon",
            "nadam",
            "rmsprop",
            "sgd",
        ]
    },
}


def any_draws(shape, seed_generator):
    """Return numbers in [0, 1) that depend on nothing but the seed and the place."""
    from keras import ops

    seed = ops.cast(ops.sum(seed_generator.next()) % 1000, "float32")
    place = ops.reshape(ops.arange(16 * 8, dtype="float32"), (16, 8))
    draws = ops.sin(12.9898 * place + 78.233 * seed) * 43758.5453
    return (draws - ops.floor(draws))[: shape[0], : shape[1]]


# every case in both precisions, and those that differ in kind through XLA
XLA_CASES = (
    "plain", "two classes", "dropout", "batch norm", "smoothing", "elastic net",
    "weight decay", "everything", "nadam", "sgd",
)  # fmt: skip


@pytest.mark.parametrize(
    ("case", "dtype", "xla"),
    [(c, "float64", False) for c in CASES if c not in FLOAT32_ONLY]
    + [(c, "float32", False) for c in CASES]
    + [(c, "float64", True) for c in XLA_CASES],
)
def test_compiled_epoch_equals_keras_fit(case, dtype, xla, monkeypatch, request):
    monkeypatch.setattr(execution, "XLA_PAYS_STEPS", 0 if xla else np.inf)
    if case in ("dropout", "everything") and xla:  # XLA has a generator of its own
        monkeypatch.setattr(keras_layers, "uniform", any_draws)
        caches.clear_caches()
        request.addfinalizer(caches.clear_caches)  # keep no program that has them
    hidden, settings = CASES[case]
    fast, slow = compiled_and_reference(monkeypatch, dtype, hidden, **settings)
    tolerance = 1e-9 if dtype == "float64" else 1e-5
    for a, b in zip(fast.weights, slow.weights, strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_allclose(a, b, atol=tolerance)
    # Keras averages the losses of the batches in float32
    for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
        np.testing.assert_allclose(
            [record[name] for record in fast.history],
            [record[name] for record in slow.history],
            rtol=1e-5,
        )


def test_schedule_of_the_rate_is_followed_step_by_step(monkeypatch):
    import keras

    schedule = keras.optimizers.schedules.serialize(
        keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.5)
    )
    fast, slow = compiled_and_reference(
        monkeypatch, "float64", PLAIN, schedule=schedule
    )
    for a, b in zip(fast.weights, slow.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    # 5 batches an epoch, a half every 5 steps
    rates = [record["learning_rate"] for record in fast.history]
    np.testing.assert_allclose(rates, [0.005, 0.0025, 0.00125], rtol=1e-6)


def test_dropout_rates_share_a_program():
    fits = [
        training_task("float64", (Hidden(8, "relu", dropout=rate),))
        for rate in (0.1, 0.4)
    ]
    assert fits[0].spec != fits[1].spec
    assert program_for(fits[0]) is program_for(fits[1])
