from dataclasses import replace

import numpy as np
import pytest

from skdnn._network.initial_weights import uniform_weights
from skdnn._network.spec import Hidden, NetworkSpec
from skdnn._streaming.row_store import RowStore
from skdnn._tabular.dataset import Dataset
from skdnn._training.compiled_epochs import program_for
from skdnn._training.execution import Execution
from skdnn._training.loop import train
from skdnn._training.optimizers import solver_from_name
from skdnn._training.streamed_task import streamed
from skdnn._training.task import Penalties, Rate, Stopping, TrainingTask

SPEC = NetworkSpec(3, (Hidden(8, "relu"),), 3, "softmax", "float32")
N = 3000


@pytest.fixture(scope="module")
def rows():
    """Rows that hold their number, of classes in order: the hardest to shuffle."""
    rng = np.random.default_rng(0)
    number = np.arange(N)
    X = np.column_stack([number, rng.normal(size=(N, 2))]).astype(np.float32)
    X[:, 0] /= N
    y = (3 * number // N).astype(np.int32)
    return Dataset(X, y, rng.integers(1, 3, N).astype(np.float32))


@pytest.fixture(params=[1, 5])
def store(rows, request):
    store = RowStore(3, "float32", request.param)
    rng = np.random.default_rng(1)
    for start in range(0, N, 700):
        part = rows.take(slice(start, start + 700))
        buckets = rng.integers(request.param, size=len(part))
        store.append(part.X, part.y, part.weight, buckets)
    yield store
    store.close()


def task_of(rows, epochs=2):
    rng = np.random.RandomState(0)
    return TrainingTask(
        spec=SPEC, weights=uniform_weights(SPEC, rng),
        solver=solver_from_name("adam", momentum=0.9, nesterov=True, beta_1=0.9,
                                beta_2=0.999, epsilon=1e-8, schedule=None),
        optimizer_state=None, table=rows, positions=np.arange(len(rows)),
        validation=None, held_out=None, batch_size=50, shuffle=True,
        random_state=np.random.RandomState(4), dropout_seed=0, rate=Rate(0.01),
        penalties=Penalties(0.0, 0.0, 0.0, 0.0), stopping=Stopping(epochs),
    )  # fmt: skip


def streamed_task(rows, store, epochs=2):
    totals = np.bincount(rows.y, weights=rows.weight)
    few = replace(task_of(rows, epochs), positions=np.arange(5))
    return streamed(few, store, np.arange(store.n_buckets), totals)


def order_of(task, seed, execution):
    blocks = list(task.blocks(np.array([[seed]]), execution))
    assert all(block.n_epochs == 1 for block in blocks)
    return np.concatenate(
        [np.rint(block.arrays[0][: block.n_rows, 0] * N) for block in blocks]
    ).astype(int), [block.n_rows for block in blocks]


@pytest.mark.parametrize("batch_rows", [None, 64])
def test_an_epoch_has_every_row_once(rows, store, batch_rows):
    execution = Execution(batch_rows is not None, batch_rows, 512)
    order, sizes = order_of(streamed_task(rows, store), 7, execution)
    assert sorted(order) == list(range(N))
    assert set(sizes[:-1]) == {500}  # whole batches of 50
    other, _ = order_of(streamed_task(rows, store), 8, execution)
    assert (order != other).mean() > 0.9
    again, _ = order_of(streamed_task(rows, store), 7, execution)
    np.testing.assert_array_equal(order, again)


def test_each_batch_is_a_sample_of_all_rows(rows, store):
    """Classes in the rows of batches vary as in a random order, not in order."""
    order, _ = order_of(streamed_task(rows, store), 7, Execution(False, None, 512))
    shares = rows.y[order].reshape(-1, 50) == 0
    counts = shares.sum(axis=1)
    binomial = np.sqrt(50 * (1 / 3) * (2 / 3))
    assert abs(counts.std() / binomial - 1) < 0.35
    # of batches that follow each other: no trend
    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 0.4


def test_weights_are_those_of_the_same_rows_in_memory(rows, store):
    """The reference: the rows of each epoch, in their order, as an array."""
    task = streamed_task(rows, store, epochs=1)
    seed = int(np.random.RandomState(4).randint(2**31 - 1, size=1)[0])
    order, _ = order_of(task, seed, program_for(task).execution)
    in_memory = replace(task_of(rows, 1), positions=order, shuffle=False)
    a, b = train(task), train(in_memory)
    for own, other in zip(a.weights, b.weights, strict=True):
        np.testing.assert_array_equal(own, other)
    assert a.history[0]["loss"] == pytest.approx(b.history[0]["loss"], rel=1e-6)
    assert a.rows_trained == b.rows_trained == N


def test_labels_are_the_totals_of_all_rows(rows, store):
    y, weight = streamed_task(rows, store).labels()
    np.testing.assert_array_equal(weight, np.bincount(rows.y, rows.weight))
    assert y.tolist() == [0, 1, 2]


def test_some_buckets_are_some_rows(rows, store):
    task = replace(streamed_task(rows, store), buckets=np.array([0]))
    assert task.n_train == store.counts[0]
    order, _ = order_of(task, 3, Execution(False, None, 512))
    assert sorted(order) == sorted(np.rint(store.read(0)["X"][:, 0] * N).astype(int))
