"""What workers of a cluster compute: the same bits as here, each part there, once."""

import os
import signal
import time
from typing import ClassVar

import joblib
import numpy as np
import pytest
from joblib.parallel import ThreadingBackend
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn import DNNClassifier, explain
from skdnn._runtime import threads, workers
from skdnn.model_selection import GridSearchCV, nested_cross_validate


@pytest.fixture
def dask(client):
    client.wait_for_workers(2)  # a test before may have killed some
    with joblib.parallel_config("dask"):
        yield client


@pytest.fixture
def sent(monkeypatch):
    """Names of the functions that were sent to workers, one for each part."""
    names, run_parts = [], workers.run_parts

    def spy(function, shared, parts, *args, **options):
        names.extend([function.__name__] * len(parts))
        return run_parts(function, shared, parts, *args, **options)

    monkeypatch.setattr(workers, "run_parts", spy)
    return names


@pytest.fixture(scope="module")
def rows():
    return make_classification(
        150, 5, n_informative=3, n_redundant=0, n_classes=3, random_state=0,
        n_clusters_per_class=1,
    )  # fmt: skip


def on_workers(client, function):
    client.wait_for_workers(2)
    with joblib.parallel_config("dask"):
        return function()


def kill(client, every=False):
    """Kill a worker, as the operating system would if memory were short."""
    pids = list(client.run(os.getpid).values())
    for pid in pids if every else pids[:1]:
        os.kill(pid, signal.SIGKILL)


def test_no_workers_are_set_without_a_cluster():
    assert not workers.are_set()
    for name in ("loky", "threading", "sequential"):
        with joblib.parallel_config(name):
            assert not workers.are_set()


def test_a_part_has_one_thread_and_sends_no_parts_on(dask):
    assert workers.are_set()
    assert workers.count() == 2

    def inside(number):
        return threads.thread_count(), workers.are_set()

    assert workers.run_parts(inside, (), [(0,), (1,)]) == [(1, False)] * 2


def test_results_are_in_order_and_reported(dask):
    def work(offset, number):
        return offset + number

    reported = []
    parts = [(i,) for i in range(4)]
    done = workers.run_parts(work, (10,), parts, reported.append)
    assert done == [10, 11, 12, 13]
    assert sorted(reported) == done


def test_an_error_of_a_part_is_raised_with_its_place(dask):
    def work(number):
        time.sleep(number)  # while one raises, others work
        raise ValueError(f"bad {number}")

    with pytest.raises(ValueError, match="bad") as caught:
        workers.run_parts(work, (), [(0,), (1,)])
    assert "in work" in caught.value.__notes__[0]


def test_shared_data_leave_this_process_once(dask, monkeypatch):
    from distributed.comm.tcp import TCP

    written, write = [], TCP.write

    async def counting(self, *args, **options):
        n_bytes = await write(self, *args, **options)
        written.append(n_bytes)
        return n_bytes

    monkeypatch.setattr(TCP, "write", counting)
    data = np.random.default_rng(0).normal(size=10**6)

    def work(data, number):
        return float(data[number])

    done = workers.run_parts(work, (data,), [(i,) for i in range(8)])
    assert done == data[:8].tolist()
    # to the scheduler, which is in this process as well, and from it to a worker
    assert data.nbytes < sum(written) < 2.1 * data.nbytes


@pytest.mark.parametrize("every", [False, True])
def test_a_killed_worker_costs_its_part_only(dask, every):
    """If all are killed, the data are lost as well, and sent again."""
    import time

    killed = []

    def work(data, number):
        time.sleep(0.2)
        return number + data.sum(), os.getpid()

    def report(result):
        if not killed:
            killed.append(result)
            kill(dask, every)

    data = np.ones(10**5)
    done = workers.run_parts(work, (data,), [(i,) for i in range(6)], report)
    assert [total for total, _ in done] == [10**5 + i for i in range(6)]
    assert killed[0] in done  # what had been finished is kept


class LossyBackend(ThreadingBackend):
    """Threads that are taken for workers, of which one is lost after some parts."""

    losses: ClassVar[list[int]] = []  # after how many parts, the last loss first

    def submit(self, func, callback=None):
        if self.losses and self.losses[-1] == 0:
            self.losses.pop()
            func = lose_worker
        elif self.losses:
            self.losses[-1] -= 1
        send = getattr(super(), "submit", None) or super().apply_async
        return send(func, callback)

    apply_async = submit  # its name before joblib 1.5


def lose_worker():
    raise ConnectionError("a worker is lost")


class LossyListBackend(LossyBackend):
    """One that gives results only when all are there, as Ray's does."""

    supports_return_generator = False


@pytest.mark.parametrize("n_losses", [0, 1, 6])
@pytest.mark.parametrize("backend", [LossyBackend, LossyListBackend])
def test_work_is_given_out_again_as_long_as_some_of_it_is_done(backend, n_losses):
    joblib.register_parallel_backend("lossy", backend)
    LossyBackend.losses = [4] * n_losses
    reported = []
    with joblib.parallel_config("lossy", n_jobs=2):
        parts = [(i,) for i in range(40)]
        done = workers.run_parts(lambda i: -i, (), parts, reported.append)
    assert done == [-i for i in range(40)]
    assert sorted(reported) == sorted(done)
    assert not LossyBackend.losses


def test_a_backend_that_always_fails_is_an_error():
    joblib.register_parallel_backend("lossy", LossyBackend)
    LossyBackend.losses = [0] * 9
    with (
        joblib.parallel_config("lossy", n_jobs=2),
        pytest.raises(ConnectionError, match="is lost"),
    ):
        workers.run_parts(abs, (), [(-1,), (-2,)])
    assert len(LossyBackend.losses) == 3  # of both parts, three times


def test_one_part_alone_is_not_sent(dask):
    def where():
        return os.getpid()

    assert workers.run_parts(where, (), [()]) == [os.getpid()]
    assert os.getpid() not in workers.run_parts(where, (), [(), ()])


@pytest.mark.slow
@pytest.mark.parametrize("validation_fraction", [None, 0.3])
def test_members_of_the_recipe(rows, client, sent, validation_fraction):
    net = DNNClassifier(
        max_iter=4, random_state=0, validation_fraction=validation_fraction
    )
    here = clone(net).fit(*rows)
    assert sent == []
    there = on_workers(client, lambda: clone(net).fit(*rows))
    assert set(sent) == {"_train_member"}
    assert len(sent) % 8 == 0
    assert_same_network(here, there, rows)
    assert here.get_params() == there.get_params()


def assert_same_network(here, there, rows):
    X, _ = rows
    np.testing.assert_array_equal(here.predict_proba(X), there.predict_proba(X))
    own = here.history_.drop(columns="seconds")
    np.testing.assert_array_equal(own, there.history_.drop(columns="seconds"))


@pytest.mark.slow
def test_a_worker_killed_while_members_train(rows, client, monkeypatch):
    net = DNNClassifier(max_iter=2, random_state=1, learning_rate_init=0.05)
    here = clone(net).fit(*rows)
    killed, run_parts = [], workers.run_parts

    def spy(function, shared, parts, report):
        def report_and_kill(result):
            if not killed:
                killed.append(True)
                kill(client)
            report(result)

        return run_parts(function, shared, parts, report_and_kill)

    monkeypatch.setattr(workers, "run_parts", spy)
    there = on_workers(client, lambda: clone(net).fit(*rows))
    assert killed
    assert_same_network(here, there, rows)


@pytest.mark.slow
def test_networks_of_an_ensemble(rows, client, sent, capfd):
    net = DNNClassifier(
        (8,), n_estimators=3, bootstrap=True, max_iter=7, random_state=0, verbose=1,
        n_iter_no_change=np.inf, dropout=0.2, learning_rate_init=0.03, batch_size=10,
    )  # fmt: skip
    here = clone(net).fit(*rows)
    capfd.readouterr()
    there = on_workers(client, lambda: clone(net).fit(*rows))
    assert "epoch 21/21" in capfd.readouterr().err
    assert sent == ["_train_network"] * 3
    for ours, theirs in zip(here.estimators_, there.estimators_, strict=True):
        assert_same_network(ours, theirs, rows)
    # and resumed
    here.set_params(warm_start=True).fit(*rows)
    on_workers(client, lambda: there.set_params(warm_start=True).fit(*rows))
    for ours, theirs in zip(here.estimators_, there.estimators_, strict=True):
        assert_same_network(ours, theirs, rows)


def scores_of(search):
    results = search.cv_results_
    return np.array([results[f"split{i}_test_score"] for i in range(search.n_splits_)])


@pytest.mark.slow
def test_searches(rows, client, sent, capfd):
    """Together the fits have steps enough for XLA, those of a part have not."""
    net = DNNClassifier(
        (8,), max_iter=5, batch_size=10, random_state=0, n_iter_no_change=np.inf,
        learning_rate_init=0.03,
    )  # fmt: skip
    pipe = make_pipeline(StandardScaler(), net)
    grid = [
        {"dnnclassifier__learning_rate_init": np.linspace(0.02, 0.1, 16)},
        {"dnnclassifier": [LogisticRegression()]},
    ]
    search = GridSearchCV(pipe, grid, cv=3, scoring="neg_log_loss", verbose=1)
    weight = np.linspace(0.5, 1.5, len(rows[0]))
    params = {"dnnclassifier__sample_weight": weight}
    here = clone(search).fit(*rows, **params)
    capfd.readouterr()
    there = on_workers(client, lambda: clone(search).fit(*rows, **params))
    assert "fit 51/51" in capfd.readouterr().err
    assert sent == ["_fit_part"] * 8
    np.testing.assert_array_equal(scores_of(here), scores_of(there))
    assert_same_network(here.best_estimator_[-1], there.best_estimator_[-1], rows)


@pytest.mark.slow
def test_a_search_over_distances_cuts_columns_as_well(rows, client, sent):
    net = DNNClassifier(
        (8,), max_iter=5, batch_size=10, random_state=0, n_iter_no_change=np.inf,
        learning_rate_init=0.03,
    )  # fmt: skip
    pipe = make_pipeline(KernelPCA(4, kernel="precomputed"), net)
    search = GridSearchCV(
        pipe, {"dnnclassifier__alpha": [0.0, 0.1]}, cv=2, scoring="neg_log_loss"
    )
    kernel = rbf_kernel(rows[0])
    here = clone(search).fit(kernel, rows[1])
    there = on_workers(client, lambda: clone(search).fit(kernel, rows[1]))
    assert sent == ["_fit_part"] * 4
    np.testing.assert_array_equal(scores_of(here), scores_of(there))


@pytest.mark.slow
def test_nested_validation(rows, client, sent):
    net = DNNClassifier(
        (8,), max_iter=5, batch_size=10, random_state=0, n_iter_no_change=np.inf,
        learning_rate_init=0.03,
    )  # fmt: skip
    search = GridSearchCV(net, {"learning_rate_init": [0.01, 0.03]}, cv=2)
    here = nested_cross_validate(search, *rows, cv=3)
    there = on_workers(client, lambda: nested_cross_validate(search, *rows, cv=3))
    assert len(sent) == 3 * 4
    np.testing.assert_array_equal(here.scores, there.scores)
    np.testing.assert_array_equal(here.inner_scores, there.inner_scores)


@pytest.mark.slow
def test_a_fit_on_a_worker_sends_no_members_on(rows, client, sent):
    """As in scikit-learn's own tools, each of whose fits has a worker."""
    net = DNNClassifier(max_iter=2, random_state=0)
    here = cross_val_score(net, *rows, cv=2)
    there = on_workers(client, lambda: cross_val_score(net, *rows, cv=2, n_jobs=2))
    np.testing.assert_array_equal(here, there)


@pytest.fixture(scope="module")
def fitted(rows):
    return DNNClassifier(
        (20,),
        n_estimators=2,
        max_iter=20,
        random_state=0,
        learning_rate_init=0.03,
        n_iter_no_change=np.inf,
    ).fit(*rows)


@pytest.mark.parametrize("method", ["exact", "regression", "walks"])
def test_shap(fitted, rows, client, sent, method):
    def explained():
        return explain.shap(
            fitted, rows[0][:130], background=rows[0], method=method, random_state=0,
            max_evals=2000 if method == "exact" else 200,
        )  # fmt: skip

    here, there = explained(), on_workers(client, explained)
    assert len(sent) >= 3
    assert set(sent) == {"_estimate_rows"}
    for name in ("values", "std_errors", "refit_errors"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


def test_lime(fitted, rows, client, sent):
    def explained():
        return explain.lime(fitted, rows[0][:100], background=rows[0], random_state=0)

    here, there = explained(), on_workers(client, explained)
    assert sent.count("_fit_part") >= 2
    for name in ("values", "std_errors", "refit_errors", "scales"):
        np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


@pytest.mark.slow
def test_a_report(rows, client, sent):
    X, y = np.hstack([rows[0], rows[0][::-1]]), rows[1]
    model = LogisticRegression().fit(X, y)

    def reported():
        return explain.report(model, X, y, background=X, samples=1).to_dict()

    here, there = reported(), on_workers(client, reported)
    assert {"_estimate_rows", "_fit_part"} <= set(sent)
    assert here == there


@pytest.fixture
def ray():
    """Not among the packages of the tests: these are run where it is installed."""
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with joblib.parallel_config("ray", n_jobs=2):
        yield ray
    ray.shutdown()


def test_parts_on_ray(ray):
    def part(data, number):
        return os.getpid(), number, data.sum()

    killed = []

    def kill_one(result):
        if not killed:
            killed.append(result[0])
            os.kill(result[0], signal.SIGKILL)

    done = workers.run_parts(part, (np.ones(9),), [(i,) for i in range(6)], kill_one)
    assert [(number, total) for _, number, total in done] == [(i, 9) for i in range(6)]
    assert os.getpid() not in {pid for pid, *_ in done}
    assert killed


@pytest.mark.slow
def test_networks_on_ray(rows, sent, ray):
    plain = DNNClassifier((8,), n_estimators=2, max_iter=3, random_state=0)
    recipe = DNNClassifier(max_iter=2, random_state=0)
    with joblib.parallel_config("sequential"):
        plain_here, recipe_here = clone(plain).fit(*rows), clone(recipe).fit(*rows)
    assert sent == []
    plain.fit(*rows)
    assert sent == ["_train_network"] * 2
    for ours, theirs in zip(plain_here.estimators_, plain.estimators_, strict=True):
        assert_same_network(ours, theirs, rows)
    recipe.fit(*rows)
    assert set(sent[2:]) == {"_train_member"}
    assert_same_network(recipe_here, recipe, rows)
