"""Training tasks of small networks for the tests of training."""

import numpy as np
from sklearn.utils import check_random_state

from skdnn._network.initial_weights import uniform_weights
from skdnn._network.spec import NetworkSpec
from skdnn._tabular.dataset import Dataset
from skdnn._training.optimizers import solver_from_name
from skdnn._training.task import Penalties, Rate, Stopping, TrainingTask

# exact in float32, which is what Keras keeps its learning rate in
RATE = 2.0**-9


def training_task(
    dtype, hidden, n_classes=3, solver="adam", schedule=None, **penalties
):
    """Return three epochs of 75 rows in batches of 16, with validation rows."""
    rng = np.random.default_rng(0)
    n = 75  # the last of the batches of 16 is a short one
    X = rng.normal(size=(n, 5)).astype(dtype)
    y = rng.integers(0, n_classes, n).astype(np.int32)
    rows = Dataset(X, y, rng.uniform(0.5, 2, n).astype(dtype))
    binary = n_classes == 2
    spec = NetworkSpec(
        5,
        hidden,
        1 if binary else n_classes,
        "logistic" if binary else "softmax",
        dtype,
    )
    made = solver_from_name(
        solver,
        momentum=0.9,
        nesterov=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        schedule=schedule,
    )
    defaults = {"l2": 1e-2, "l1": 0.0, "weight_decay": 0.0, "label_smoothing": 0.0}
    return TrainingTask(
        spec=spec,
        weights=uniform_weights(spec, check_random_state(1)),
        solver=made,
        optimizer_state=None,
        table=rows,
        positions=np.arange(n),
        validation=rows.take(np.arange(20)),
        held_out=None,
        batch_size=16,
        shuffle=True,
        random_state=check_random_state(2),
        dropout_seed=7,
        rate=None if schedule else Rate(RATE),
        penalties=Penalties(**defaults | penalties),
        stopping=Stopping(max_iter=3, tol=0.0, patience=np.inf, early=False),
    )
