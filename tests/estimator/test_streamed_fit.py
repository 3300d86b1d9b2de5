import numpy as np
import pandas as pd
import pytest
from optional import require
from sklearn.metrics import log_loss
from stopped_fits import (
    assert_same_bits,
    fits_stopped,
    fitted_arrays,
    write_every_epoch,
)

import skdnn
from skdnn import DNNClassifier
from skdnn._estimator import recipe

PLAIN = {"hidden_layer_sizes": (16,), "max_iter": 6, "n_iter_no_change": np.inf}


def made(n, seed):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    X["word"] = rng.choice(["x", "y", "z"], n)
    signal = X["a"] + X["b"] * X["c"] + (X["word"] == "x")
    return X, np.where(signal + 0.5 * rng.normal(size=n) > 0.5, "yes", "no")


@pytest.fixture(scope="module")
def sorted_table():
    """Rows in the order of their classes: the hardest for training in blocks."""
    X, y = made(12_000, 0)
    order = np.argsort(y, kind="stable")
    return X.iloc[order].reset_index(drop=True), y[order]


@pytest.fixture(scope="module")
def folder(sorted_table, tmp_path_factory):
    pa, pq = require("pyarrow"), require("pyarrow.parquet")
    X, y = sorted_table
    path = tmp_path_factory.mktemp("rows")
    table = pa.Table.from_pandas(X.assign(target=y), preserve_index=False)
    for i in range(3):
        pq.write_table(table.slice(4000 * i, 4000), path / f"{i}.parquet")
    return path


def dataset(folder):
    return require("pyarrow.dataset").dataset(folder)


def fitted(X, y, **parameters):
    return DNNClassifier(random_state=0, **parameters).fit(X, y)


def test_small_tables_are_read_whole(folder, sorted_table):
    """With the bits of a frame in memory."""
    in_memory = fitted(*sorted_table, **PLAIN)
    read = fitted(dataset(folder), "target", **PLAIN)
    X = sorted_table[0]
    np.testing.assert_array_equal(in_memory.predict_proba(X), read.predict_proba(X))
    assert read.feature_names_in_.tolist() == list(X)


@pytest.mark.parametrize("kind", ["plain", "early", "ensemble"])
def test_all_containers_give_the_same_bits(folder, sorted_table, streams_all, kind):
    dd, pl = require("dask.dataframe"), require("polars")
    X, y = sorted_table
    more = {
        "plain": {},
        "early": {"early_stopping": True},
        "ensemble": {"n_estimators": 2},
    }
    expected = fitted(dataset(folder), "target", **PLAIN, **more[kind])
    frame = X.assign(target=y)
    for table in (
        pl.scan_parquet(folder / "*.parquet"),
        dd.from_pandas(frame, npartitions=5),
        dataset(folder),
    ):
        other = fitted(table, "target", **PLAIN, **more[kind])
        np.testing.assert_array_equal(
            other.predict_proba(X[:50]), expected.predict_proba(X[:50])
        )
        assert other.summary().splitlines()[0] == expected.summary().splitlines()[0]


def test_a_memory_mapped_array_gives_the_bits_of_a_file(
    tmp_path, sorted_table, streams_all
):
    pa, pq = require("pyarrow"), require("pyarrow.parquet")
    X, y = sorted_table[0][list("abcd")], sorted_table[1]
    np.save(tmp_path / "X.npy", X.to_numpy())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    table = pa.Table.from_pandas(X.assign(target=y), preserve_index=False)
    pq.write_table(table, tmp_path / "rows.parquet")
    a = fitted(mapped, y, **PLAIN)
    b = fitted(dataset(tmp_path / "rows.parquet"), "target", **PLAIN)
    few = X[:50]
    np.testing.assert_array_equal(a.predict_proba(few.to_numpy()), b.predict_proba(few))
    expected = a.predict_proba(X[:1024].to_numpy())  # the rows of a block
    np.testing.assert_array_equal(a.predict_proba(mapped)[:1024], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "most"),
    [({**PLAIN, "max_iter": 15}, 1.04), ({"max_iter": 12}, 1.04)],
)
def test_log_loss_is_that_of_training_in_memory(
    folder, sorted_table, streams_all, parameters, most
):
    X_test, y_test = made(20_000, 1)
    streamed = fitted(dataset(folder), "target", **parameters)
    in_memory = fitted(*sorted_table, **parameters)
    losses = [log_loss(y_test, n.predict_proba(X_test)) for n in (streamed, in_memory)]
    assert losses[0] < most * losses[1]


def test_fitted_attributes(folder, sorted_table, streams_all):
    X, y = sorted_table
    network = fitted(dataset(folder), "target", **PLAIN, early_stopping=True)
    assert network.classes_.tolist() == ["no", "yes"]
    assert network.n_features_in_ == 5
    assert network.t_ == network.n_iter_ * (len(y) - 1200)
    assert "10800 rows to train on, 1200 to validate on" in network.summary()
    share = np.mean(y == "no")
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert network.baseline_loss_ == pytest.approx(entropy, rel=1e-12)
    sets = network.predict_set(X, confidence_level=0.9)
    assert 0.85 < sets[np.arange(len(y)), (y == "yes").astype(int)].mean() < 0.96


def test_weights_of_zero_leave_rows_out(folder, sorted_table, streams_all):
    y = sorted_table[1]
    weight = (np.arange(len(y)) % 2).astype(float)
    kept = dataset(folder).to_table().filter(weight > 0)
    pa_dataset = require("pyarrow.dataset").dataset
    part = fitted(pa_dataset(kept), "target", **PLAIN)
    whole = DNNClassifier(random_state=0, **PLAIN)
    whole.fit(dataset(folder), "target", sample_weight=weight)
    assert whole.t_ == part.t_
    assert whole.baseline_loss_ == pytest.approx(part.baseline_loss_)


def test_balanced_classes(tmp_path, streams_all):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4000, 2)), (np.arange(4000) >= 3600).astype(int)
    X[y == 1, 0] += 1
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    settings = PLAIN | {"learning_rate_init": 0.02}
    network = fitted(mapped, y, **settings, class_weight="balanced")
    assert network.baseline_loss_ == pytest.approx(np.log(2))
    # the mean probability is the share of the class that the loss has
    proba = network.predict_proba(mapped)[:, 1]
    assert np.average(proba, weights=np.where(y == 1, 10, 10 / 9)) == pytest.approx(
        0.5, abs=0.04
    )
    assert fitted(mapped, y, **settings).predict_proba(X)[:, 1].mean() < 0.2


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"solver": "lbfgs"}, "solver='lbfgs'"),
        ({"bootstrap": True}, "bootstrap=True"),
        ({"warm_start": True}, "warm_start=True"),
        ({"shuffle": False}, "shuffle=False"),
    ],
)
def test_what_needs_all_rows_is_refused(folder, streams_all, parameters, name):
    with pytest.raises(ValueError, match=f"from scratch. Got {name}"):
        fitted(dataset(folder), "target", hidden_layer_sizes=(4,), **parameters)


def test_partial_fit_is_refused(folder, streams_all):
    network = DNNClassifier((4,))
    with pytest.raises(ValueError, match="Got partial_fit"):
        network.partial_fit(dataset(folder), "target", classes=["no", "yes"])
    assert not hasattr(network, "n_features_in_")


def test_errors_leave_no_file_and_the_estimator_unchanged(
    folder, streams_all, tmp_path, monkeypatch
):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    network = fitted(dataset(folder), "target", **PLAIN)
    assert list(tmp_path.iterdir()) == []
    before = network.predict_proba(made(9, 2)[0])
    with pytest.raises(ValueError, match="y must be a column"):
        network.fit(dataset(folder), "nothing")
    np.testing.assert_array_equal(network.predict_proba(made(9, 2)[0]), before)


def test_validation_rows_may_be_given(folder, streams_all):
    X_val, y_val = made(500, 3)
    network = DNNClassifier(random_state=0, **PLAIN, early_stopping=True)
    network.fit(dataset(folder), "target", X_val=X_val, y_val=y_val)
    assert "12000 rows to train on, 500 to validate on" in network.summary()


def test_dates_are_refused_before_training(streams_all):
    pa = require("pyarrow")
    days = pa.array(np.arange(3000).astype("datetime64[D]"))
    table = pa.table({"day": days, "target": np.arange(3000) % 2})
    with pytest.raises(ValueError, match="Column 'day' must hold numbers"):
        fitted(require("pyarrow.dataset").dataset(table), "target", **PLAIN)


# the plan for many rows


@pytest.mark.parametrize(
    ("n", "shares", "epochs"),
    [
        (10**6, 1, 8), (10**7, 1, 8), (3 * 10**7, 3, 8), (8 * 10**7, 8, 8),
        (16 * 10**7, 8, 4), (64 * 10**7, 8, 1), (10**9, 8, 1), (10**10, 8, 1),
    ],
)  # fmt: skip
def test_the_plan_for_many_rows(n, shares, epochs):
    assert recipe.values_for(n, 2).epochs == 8
    assert recipe.member_shares(n) == shares
    assert recipe.streamed_epochs(n, 8) == epochs
    # the rows that a member is trained on, in all epochs
    assert n / shares * epochs <= max(8 * 10**7, n / 8)


@pytest.mark.slow
def test_members_that_share_rows_train_on_their_part(
    folder, sorted_table, streams_all, monkeypatch
):
    # private: 10 million rows would take an hour
    monkeypatch.setattr(recipe, "_WHOLE_ROWS", 4000)
    network = fitted(dataset(folder), "target", max_iter=8)
    n = 12_000 - 1200
    assert network.t_ == pytest.approx(8 * 8 * n / 3, rel=0.05)
    assert network.predict_members(sorted_table[0][:5]).shape == (8, 5, 2)
    X_test, y_test = made(20_000, 1)
    baseline = network.baseline_loss_
    assert log_loss(y_test, network.predict_proba(X_test)) < 0.7 * baseline
    assert skdnn.explain.permutation_importance(
        network, X_test[:300], y_test[:300], random_state=0
    ).frame() is not None  # fmt: skip


# with a checkpoint


@pytest.mark.parametrize(
    "kind", ["ensemble", pytest.param("recipe", marks=pytest.mark.slow)]
)
def test_a_fit_that_is_stopped_continues_with_the_same_bits(
    folder, streams_all, tmp_path, monkeypatch, kind
):
    write_every_epoch(monkeypatch)
    path = tmp_path / "training.checkpoint"
    parameters = {"ensemble": {**PLAIN, "n_estimators": 2}, "recipe": {"max_iter": 2}}

    def fit(**more):
        return fitted(dataset(folder), "target", **parameters[kind], **more)

    results = fits_stopped(
        lambda: fitted_arrays(fit(checkpoint=path)), path, n_stops=2, longest=20
    )
    for result in results:
        assert_same_bits(result, fitted_arrays(fit()))


def test_a_checkpoint_of_another_table_is_refused(sorted_table, streams_all, tmp_path):
    X, y = sorted_table[0][list("abcd")].to_numpy(), sorted_table[1]
    path, settings = tmp_path / "training.checkpoint", {**PLAIN, "max_iter": 1}

    def fit(X, y, **more):
        np.save(tmp_path / "X.npy", X)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        fitted(mapped, y, **settings | more, checkpoint=path)

    fit(X, y)
    fit(X, y)  # which continues
    changed = X.copy()
    changed[-1, -1] += 1
    for rows, labels in ((changed, y), (X[::-1], y), (X, y[::-1]), (X, y == "no")):
        with pytest.raises(ValueError, match=r"differs in the (rows|classes) of"):
            fit(rows, labels)
    with pytest.raises(ValueError, match="the parameter max_iter"):
        fit(X, y, max_iter=2)
