"""A Dask DataFrame on the workers of a cluster is trained on there."""

import os
import signal

import joblib
import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn import DNNClassifier
from skdnn._estimator import stored_rows, streamed_fit
from skdnn._estimator.streamed_fit import opened, prepare_streamed
from skdnn._runtime import workers

# private: _STORES, _key, _close and _BUCKET_BYTES; nothing public shows that stores are
# deleted, nor makes several buckets of few rows
PLAIN = {
    "hidden_layer_sizes": (8,), "max_iter": 4, "n_iter_no_change": np.inf,
    "learning_rate_init": 0.02,
}  # fmt: skip


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(3_000, 3)), columns=list("abc"))
    X["word"] = rng.choice(["x", "y", "z"], len(X))
    X["target"] = np.where(X["a"] + (X["word"] == "x") > 0.5, "yes", "no")
    return X


@pytest.fixture
def there(client, table):
    """The table where it lies; it cannot be computed here."""
    dd = require("dask.dataframe")
    here = os.getpid()

    def part(rows):
        assert os.getpid() != here
        return rows

    frame = dd.from_pandas(table, npartitions=4).map_partitions(part, meta=table[:0])
    return frame.persist()


def test_counts_are_those_of_the_store(table, streams_all, monkeypatch):
    """With weights of zero, rows left out and several buckets."""
    monkeypatch.setattr(streamed_fit, "lies_on_workers", lambda table: True)
    monkeypatch.setattr(streamed_fit, "_BUCKET_BYTES", 2**12)
    frame = require("dask.dataframe").from_pandas(table, npartitions=4)
    weight = np.arange(len(table)) % 3.0
    network = DNNClassifier((4,), early_stopping=True, random_state=0)
    rows = prepare_streamed(network, opened(frame, "target", weight)).store
    assert len(rows.counts) > 8
    assert rows.counts.sum() == 1800
    for bucket, count in enumerate(rows.counts):
        assert len(rows.read(bucket)) == count
    assert n_stores() == 1
    stored_rows._close(rows._key)
    assert n_stores() == 0


def n_stores():
    return len(stored_rows._STORES)


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param(PLAIN, id="one network"),
        pytest.param(PLAIN | {"n_estimators": 2}, id="ensemble"),
        pytest.param({"max_iter": 2}, id="recipe"),
        pytest.param(
            PLAIN | {"early_stopping": True, "class_weight": "balanced"}, id="weights"
        ),
    ],
)
def test_same_bits_as_here(client, table, there, streams_all, parameters, monkeypatch):
    dd, few = require("dask.dataframe"), table.drop(columns="target")[:50]
    read = []
    monkeypatch.setattr(
        stored_rows.RowsOnWorkers, "read", lambda self, bucket: read.append(bucket)
    )
    network = DNNClassifier(random_state=0, **parameters)
    with joblib.parallel_config("dask"):
        proba = network.fit(there, "target").predict_proba(few)
    assert read == []
    assert set(client.run(n_stores).values()) == {0}
    assert n_stores() == 0
    frame = dd.from_pandas(table, npartitions=7)
    expected = network.fit(frame, "target").predict_proba(few)
    np.testing.assert_array_equal(proba, expected)


@pytest.mark.slow
def test_killed_workers_cost_what_they_had_not_finished(
    client, table, there, streams_all, monkeypatch
):
    killed, run_parts = [], workers.run_parts

    def spy(function, shared, parts, report=lambda result: None, **options):
        def report_and_kill(result):
            if not killed and function.__name__ == "_train_streamed":
                killed.extend(client.run(os.getpid).values())
                for pid in killed:
                    os.kill(pid, signal.SIGKILL)
            report(result)

        return run_parts(function, shared, parts, report_and_kill, **options)

    monkeypatch.setattr(workers, "run_parts", spy)
    network = DNNClassifier(random_state=0, n_estimators=2, **PLAIN)
    few = table.drop(columns="target")[:50]
    with joblib.parallel_config("dask"):
        proba = network.fit(there, "target").predict_proba(few)
    assert len(killed) == 2
    client.wait_for_workers(2)
    assert set(client.run(n_stores).values()) == {0}
    frame = require("dask.dataframe").from_pandas(table, npartitions=7)
    expected = network.fit(frame, "target").predict_proba(few)
    np.testing.assert_array_equal(proba, expected)
