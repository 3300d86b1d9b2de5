"""The plain network: MLPClassifier's, with its defaults and its order of draws."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_random_state

from skdnn._estimator.calibration import OutOfFoldScores, PredictedLogProba
from skdnn._estimator.conformal import LeftOut
from skdnn._estimator.network_training import (
    FittedState,
    TrainedNetwork,
    describe_training,
)
from skdnn._estimator.parameters import Parameters
from skdnn._estimator.split import split_rows
from skdnn._network.initial_weights import uniform_weights
from skdnn._network.prediction import Predictor
from skdnn._network.spec import Hidden, NetworkSpec
from skdnn._tabular.encoder import TableEncoder, has_missing
from skdnn._tabular.validation import TrainingData
from skdnn._training import optimizers
from skdnn._training.task import Rate, Stopping, TrainingResult, TrainingTask

# MLPClassifier's values.
DEFAULTS = {
    "activation": "relu",
    "alpha": 1e-4,
    "learning_rate": "constant",
    "learning_rate_init": 1e-3,
    "max_iter": 200,
    "beta_2": 0.999,
    "label_smoothing": 0.0,
}


@dataclass(frozen=True)
class PlainNetwork:
    """A plain network that is ready to train; `earlier` is what it resumes from."""

    parameters: Parameters
    task: TrainingTask
    encoder: TableEncoder
    earlier: FittedState | None
    incremental: bool

    @property
    def n_epochs(self) -> int:
        """Epochs of its training, at most."""
        return self.task.stopping.max_iter


def prepare_plain(
    parameters: Parameters,
    data: TrainingData,
    earlier: FittedState | None = None,
    *,
    incremental: bool = False,
) -> PlainNetwork:
    """Return a network with its training task; `incremental` is a `partial_fit`.

    As MLPClassifier draws weights before the validation rows, so does this, unless the
    number of inputs depends on the categories and missing values of the training rows.
    """
    name, weight_decay = parameters.solver, 0.0
    if isinstance(name, str):
        weight_decay = optimizers.default_weight_decay(name)
    parameters = parameters.filled(**DEFAULTS, weight_decay=weight_decay)
    random_state = check_random_state(parameters.random_state)
    X, weights, encoder, rows_trained = data.rows.X, None, None, 0
    if earlier is not None:
        weights, encoder = earlier.weights, earlier.encoder
        rows_trained = earlier.rows_trained
    elif not data.columns.codes and not has_missing(X):
        spec = _network_spec(parameters, X.shape[1], data)
        weights = uniform_weights(spec, random_state)
    split = split_rows(parameters, data, random_state, encoder=encoder)
    spec = _network_spec(parameters, split.encoder.n_inputs, data)
    if earlier is not None:
        _check_same_network(earlier.spec, spec)
    if weights is None:
        weights = uniform_weights(spec, random_state)
    table, validation = split.encode(data)
    parameters.check_calibration(table.y, is_validated=validation is not None)
    solver, rate = _solver_and_rate(parameters)
    optimizers.check_dtype(solver, spec.dtype)
    task = TrainingTask(
        spec=spec,
        weights=weights,
        solver=solver,
        optimizer_state=earlier.optimizer_state if earlier and incremental else None,
        table=table,
        positions=split.positions,
        validation=validation,
        held_out=split.held_out,
        batch_size=_batch_size(parameters, len(split.positions)),
        shuffle=bool(parameters.shuffle),
        random_state=random_state,
        dropout_seed=_dropout_seed(spec, random_state, rows_trained),
        rate=rate,
        penalties=parameters.penalties(),
        stopping=_stopping(parameters, incremental),
        rows_trained=rows_trained,
        callbacks=parameters.copied_callbacks(),
    )
    return PlainNetwork(parameters, task, split.encoder, earlier, incremental)


def finish_plain(network: PlainNetwork, result: TrainingResult) -> TrainedNetwork:
    """Return a network with its trained weights, calibrated if that was requested."""
    task, reliability = network.task, None
    if network.parameters.calibration is not None:
        rows = task.validation
        assert rows is not None
        positions = np.arange(len(rows))
        predictor = Predictor(task.spec, result.weights)
        log_proba = PredictedLogProba(predictor, rows, positions)
        n_classes = max(2, task.spec.n_outputs)
        scores = OutOfFoldScores(
            [positions], [log_proba], rows.y, rows.weight, n_classes
        )
        reliability = scores.reliability()
        factor = reliability.inverse_temperature
        task = replace(task, spec=replace(task.spec, inverse_temperature=factor))
    return describe_training(
        task,
        result,
        network.encoder,
        earlier=network.earlier,
        incremental=network.incremental,
        reliability=reliability,
        left_out=_left_out(network, Predictor(task.spec, result.weights)),
    )


def _left_out(network: PlainNetwork, predictor: Predictor) -> LeftOut | None:
    """Return the probabilities of the true classes of the validation rows, if any."""
    rows, positions = network.task.validation, network.task.held_out
    if rows is None or rows.y.ndim == 2:
        return None
    if network.earlier is not None and positions is not None:
        return None  # an earlier fit may have been trained on them
    if positions is None:
        positions = np.arange(len(rows))
    proba = predictor.proba(rows.X)
    return LeftOut(positions, proba[np.arange(len(rows)), rows.y])


def _network_spec(
    parameters: Parameters, n_inputs: int, data: TrainingData
) -> NetworkSpec:
    """Return the network that the parameters describe."""
    activation, sizes = parameters.activation_name(), parameters.hidden_sizes()
    layers = zip(sizes, parameters.dropout_rates(len(sizes)), strict=True)
    batch_norm = bool(parameters.batch_norm)
    n_classes, multilabel = len(data.classes), data.rows.y.ndim == 2
    binary = n_classes == 2 and not multilabel
    return NetworkSpec(
        n_inputs=n_inputs,
        hidden=tuple(Hidden(n, activation, p, batch_norm) for n, p in layers),
        n_outputs=1 if binary else n_classes,
        output="logistic" if binary or multilabel else "softmax",
        dtype=data.rows.X.dtype.name,
    )


def _check_same_network(old: NetworkSpec, new: NetworkSpec) -> None:
    """Raise ``ValueError`` if weights of one network do not fit the other."""
    if (old.arrays, old.dtype) != (new.arrays, new.dtype):
        raise ValueError(
            "Training can resume only with the network of the first fit: layers of "
            f"{list(old.widths)} units in {old.dtype}. Got {list(new.widths)} in "
            f"{new.dtype}. Set warm_start=False, or clone the estimator, to train "
            "from scratch."
        )


def _batch_size(parameters: Parameters, n_samples: int) -> int:
    """Return the rows per step, at most all."""
    size = 200 if parameters.batch_size == "auto" else int(parameters.batch_size)
    if size > n_samples and parameters.batch_size != "auto":
        text = f"batch_size={size} is more than the {n_samples} training rows and is "
        warnings.warn(f"{text}reduced to {n_samples}.", UserWarning, stacklevel=2)
    return min(size, n_samples)


def _solver_and_rate(parameters: Parameters) -> tuple[optimizers.Solver, Rate | None]:
    """Return the optimizer, and the rate unless the optimizer has a schedule.

    As in ``MLPClassifier``, ``learning_rate="invscaling"`` and ``"adaptive"`` act on
    ``solver="sgd"`` only.
    """
    solver, policy = parameters.solver, parameters.learning_rate
    if not isinstance(solver, str):
        initial = optimizers.optimizer_rate(solver)
        rate = None if initial is None else Rate(initial)
        return optimizers.solver_from_optimizer(solver), rate
    if solver == "lbfgs":
        return optimizers.lbfgs_solver(), None
    if not isinstance(policy, str):
        return parameters.named_solver(optimizers.serialized(policy)), None
    initial, power = float(parameters.learning_rate_init), float(parameters.power_t)
    rate = Rate(initial, policy if solver == "sgd" else "constant", power)
    return parameters.named_solver(), rate


def _stopping(parameters: Parameters, incremental: bool) -> Stopping:
    """Return the rules by which training ends; `partial_fit` is one epoch."""
    return Stopping(
        max_iter=1 if incremental else int(parameters.max_iter),
        tol=float(parameters.tol),
        patience=float(parameters.n_iter_no_change),
        early=bool(parameters.early_stopping) and parameters.solver != "lbfgs",
        max_fun=int(parameters.max_fun),
    )


def _dropout_seed(
    spec: NetworkSpec, random_state: np.random.RandomState, rows_trained: int
) -> int:
    """Return a seed that differs between the parts of a resumed training.

    It is drawn only for dropout, so that all other draws are MLPClassifier's.
    """
    if not any(layer.dropout for layer in spec.hidden):
        return 0
    entropy = [int(random_state.randint(2**31 - 1)), rows_trained]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])
