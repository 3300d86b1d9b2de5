"""Speed and error of SHAP values and of LIME, compared with shap, shapiq and lime.

SHAP: all explain the same rows of the same network (two hidden layers of 64, 30
columns, 100 background rows) and call the same function, `predict_proba` on
an array, a forward pass in NumPy. Times are of the processor, on one thread. Errors are
root mean squares over rows, columns and runs, against two million evaluations per row.
shapiq is measured if it is installed.

LIME: the R² of skdnn's surrogate and of the lime package's, for the predicted class of
16 rows left out, with two networks and boosted trees on three tables.

Run it with ``python benchmarks/explain.py``; it ends with an error if a claim does not
hold.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import functools
import importlib.util
import itertools
import sys
import time
import tracemalloc
import warnings

import numpy as np
import shap
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdnn import DNNClassifier, explain

N_ROWS = 10
N_BACKGROUND = 100
N_RUNS = 5
N_REPEATS = 60  # of runs that check the standard errors
TRUTH_EVALS = 2_000_000
SHAPIQ = ("KernelSHAP", "kADDSHAP", "PermutationSamplingSV", "UnbiasedKernelSHAP")
SHAPIQ_BUDGETS = (124, 500)  # coalitions, each averaged over the background

N_LIME_ROWS = 16
N_LIME_SEEDS = 4
LIME_TABLES = {
    "iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer,
}  # fmt: skip
LIME_MODELS = {
    "DNNClassifier()": lambda: DNNClassifier(random_state=0),
    "DNNClassifier((32, 16))": lambda: make_pipeline(
        StandardScaler(), DNNClassifier((32, 16), random_state=0)
    ),
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(
        max_iter=60, random_state=0
    ),
}


class Counted:
    """A classifier that counts the rows it predicts."""

    def __init__(self, estimator):
        self.estimator, self.classes_, self.n_rows = estimator, estimator.classes_, 0

    def predict_proba(self, X):
        self.n_rows += len(X)
        return self.estimator.predict_proba(X)


def make_problem():
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, _ = train_test_split(X, y, stratify=y, random_state=0)
    scaler = MinMaxScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    network = DNNClassifier(
        (64, 64), max_iter=60, learning_rate_init=0.003, n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X_train, y_train)  # fmt: skip
    background = X_train[np.random.default_rng(0).permutation(len(X_train))]
    return Counted(network), X_test[:N_ROWS], background[:N_BACKGROUND]


def ours(model, X, background, seed, **options):
    result = explain.shap(model, X, background=background, random_state=seed, **options)
    return result.values[..., 1], result.std_errors[..., 1]


def masker(background):
    return shap.maskers.Independent(background, max_samples=len(background))


def permutation(model, X, background, seed):
    explainer = shap.explainers.Permutation(
        model.predict_proba, masker(background), seed=seed
    )
    return explainer(X, silent=True).values[..., 1], None


def kernel(model, X, background, seed):
    np.random.seed(seed)  # noqa: NPY002, shap has no other seed
    explainer = shap.KernelExplainer(model.predict_proba, background)
    return explainer.shap_values(X, silent=True)[..., 1], None


def shapiq_own(model, X, background, seed, *, approximator, budget):
    import shapiq.approximator

    d = X.shape[1]
    values = []
    for row in X:

        def worth(sets, row=row):
            sets = np.atleast_2d(sets)
            mixed = np.where(sets[:, None, :], row, background).reshape(-1, d)
            out = model.predict_proba(mixed)[:, 1]
            return out.reshape(len(sets), -1).mean(axis=1)

        sampler = getattr(shapiq.approximator, approximator)(n=d, random_state=seed)
        result = sampler.approximate(budget=budget, game=worth)
        values.append([result[(j,)] for j in range(d)])
    return np.array(values), None


def measure(name, method, problem, truth, results):
    """Print and keep evaluations and milliseconds per row, and the error."""
    model, X, background = problem
    method(model, X[:1], background, 0)  # compiles what is compiled once
    model.n_rows = 0
    seconds, apart, reported = [], [], []
    for seed in range(1, N_RUNS + 1):
        start = time.process_time()
        values, errors = method(model, X, background, seed)
        seconds.append(time.process_time() - start)
        apart.append(values - truth)
        reported.append(np.nan if errors is None else np.sqrt((errors**2).mean()))
    ms, rms = 1e3 * min(seconds) / len(X), np.sqrt(np.mean(np.square(apart)))
    results[name] = ms, rms
    evals = model.n_rows / len(X) / N_RUNS
    print(f"{name:42} {evals:9.0f} {ms:8.2f} {rms:9.2e} {np.mean(reported):9.2e}")


def measure_sampling(problem, results):
    truth, errors = ours(*problem, 0, method="walks", max_evals=TRUTH_EVALS)
    print(f"standard error of the truth: {errors.mean():.1e}\n")
    head = ("method", "evals/row", "ms/row", "rms error", "reported")
    print("{:42} {:>9} {:>8} {:>9} {:>9}".format(*head))
    go = functools.partial(measure, problem=problem, truth=truth, results=results)
    go("skdnn", ours)
    go("skdnn max_evals=2000", functools.partial(ours, max_evals=2000))
    go("skdnn max_evals=12000", functools.partial(ours, max_evals=12_000))
    go("skdnn method=walks", functools.partial(ours, method="walks"))
    go("shap Permutation", permutation)
    go("shap KernelExplainer", kernel)
    has_shapiq = importlib.util.find_spec("shapiq") is not None
    print("" if has_shapiq else "shapiq is not installed\n", end="")
    for approximator in SHAPIQ if has_shapiq else ():
        for budget in SHAPIQ_BUDGETS:
            options = {"approximator": approximator, "budget": budget}
            name = f"shapiq {approximator}, {budget} sets"
            go(name, functools.partial(shapiq_own, **options))
    print()
    measure_calibration(problem, truth, results)


def measure_calibration(problem, truth, results):
    """Compare standard errors with the deviation over many seeds."""
    for options in ({}, {"tolerance": 0.005}, {"max_evals": 1000}):
        runs = [
            explain.shap(
                problem[0], problem[1], background=problem[2], random_state=seed,
                **options,
            )
            for seed in range(N_REPEATS)
        ]  # fmt: skip
        values = np.stack([run.values[..., 1] for run in runs])
        errors = np.stack([run.std_errors[..., 1] for run in runs])
        ends = [run.interval() for run in runs]
        low, high = (np.stack([end[i][..., 1] for end in ends]) for i in (0, 1))
        ratio = errors.mean() / values.std(axis=0, ddof=1).mean()
        inside = ((low < truth) & (truth < high)).mean()
        results[f"calibration {options}"] = ratio, inside
        print(
            f"{N_REPEATS} repeats {options}: standard errors are {ratio:.2f} of "
            f"the deviation, {100 * inside:.1f}% of the 95% intervals hold the truth"
        )


def measure_enumeration(problem, results):
    """Explain the first columns of the network; the others are fixed to one row."""
    model, X, background = problem
    for d in (8, 10):

        class Part:
            classes_ = model.classes_

            def predict_proba(self, rows, d=d):
                rest = np.broadcast_to(X[0, d:], (len(rows), X.shape[1] - d))
                return model.predict_proba(np.hstack([rows, rest]))

        part, rows, back = Part(), X[:, :d], background[:, :d]
        exact = shap.explainers.Exact(part.predict_proba, masker(back))
        exact(rows[:1], silent=True)
        methods = {
            "skdnn": lambda: explain.shap(part, rows, background=back).values,  # noqa: B023
            "shap Exact": lambda: exact(rows, silent=True).values,  # noqa: B023
        }
        values = {}
        for name, method in methods.items():
            seconds = []
            for _ in range(3):
                start = time.process_time()
                values[name] = method()
                seconds.append(time.process_time() - start)
            results[f"{name} {d}"] = ms = 1e3 * min(seconds) / len(rows)
            print(f"{name + f', {d} columns':42} {2**d * len(back):9} {ms:8.2f}")
        apart = np.abs(values["skdnn"] - values["shap Exact"]).max()
        print(f"largest difference: {apart:.1e}")


def measure_memory(problem, results):
    model, X, background = problem
    for n in (1000, 10_000):
        rows = np.resize(X, (n, X.shape[1]))
        tracemalloc.start()
        start = time.process_time()
        explain.shap(model, rows, background=background, random_state=0, max_evals=1200)
        seconds = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        results[f"MB of {n}"] = peak
        print(f"{n} rows: {seconds:.0f} s at max_evals=1200, at most {peak:.0f} MB")


def measure_lime(results):
    """Compare the R² of surrogates in steps with that of the lime package."""
    head = ("LIME of", "R²", "least", "lime's R²", "scale", "rank", "rows", "ms/row")
    print("{:38} {:>5} {:>6} {:>9} {:>6} {:>5} {:>6} {:>7}".format(*head))
    for table, name in itertools.product(LIME_TABLES, LIME_MODELS):
        X, y = LIME_TABLES[table](return_X_y=True)
        X, X_test, y, _ = train_test_split(X, y, stratify=y, random_state=0)
        model, rows = Counted(LIME_MODELS[name]().fit(X, y)), X_test[:N_LIME_ROWS]
        runs, seconds = [], []
        for seed in range(N_LIME_SEEDS):
            start, model.n_rows = time.process_time(), 0
            runs.append(explain.lime(model, rows, background=X, random_state=seed))
            seconds.append(time.process_time() - start)
        n_rows = model.n_rows / len(rows)
        theirs = explain.lime(
            model, rows, background=X, method="tabular", random_state=0
        )
        at = np.arange(len(rows)), runs[0].predictions.argmax(axis=1)
        ranks = [
            spearmanr(np.abs(a.values[i, :, k]), np.abs(b.values[i, :, k])).statistic
            for a, b in itertools.combinations(runs, 2)
            for i, k in zip(*at, strict=True)
        ]
        score, other = runs[0].score[at], np.median(theirs.score[at])
        rank, ms = np.nanmean(ranks), 1e3 * min(seconds) / len(rows)
        results[f"LIME {table}, {name}"] = score, other, rank, ms
        print(
            f"{f'{table}, {name}':38} {np.median(score):5.2f} {score.min():6.2f} "
            f"{other:9.2f} {np.median(runs[0].scales):6.3f} {rank:5.3f} "
            f"{n_rows:6.0f} {ms:7.1f}"
        )


def lime_claims(results):
    """Yield what is claimed of LIME, and whether it holds."""
    every = {name[5:]: r for name, r in results.items() if name.startswith("LIME")}
    networks = [r for name, r in every.items() if "DNN" in name]
    scores = np.concatenate([score for score, *_ in networks])
    median, high = np.median(scores), (scores >= 0.7).mean()
    yield f"median R² of LIME {median:.2f}", median >= 0.9
    yield f"R² of at least 0.7 in {100 * high:.0f}% of the rows", high >= 0.9
    least = min(np.median(score) - other for score, other, *_ in networks)
    yield f"R² at least {least:.2f} above that of the lime package", least > 0.3
    rank = min(rank for *_, rank, _ in networks)
    yield f"rank correlation over seeds at least {rank:.3f}", rank >= 0.98
    ms = max(r[-1] for name, r in every.items() if "cancer, DNN" in name)
    yield f"at most {ms:.0f} ms per row at 30 columns", ms < 50


def check(results) -> bool:
    """Print which claims hold; return whether all do."""
    (ms, rms), memory = results["skdnn"], results["MB of 10000"]
    claims = []
    for name, factor in (("shap Permutation", 8), ("shap KernelExplainer", 20)):
        other_ms, other_rms = results[name]
        claim = f"{other_ms / ms:.1f} times as fast as {name}, at {rms / other_rms:.2f}"
        claims.append(
            (f"{claim} of its error", other_ms >= factor * ms and rms <= other_rms)
        )
    for d in (8, 10):
        ratio = results[f"shap Exact {d}"] / results[f"skdnn {d}"]
        claims.append((f"{d} columns: {ratio:.2f} times as fast as Exact", ratio >= 1))
    # data, values and errors of a row are stored: 2 kB
    grown = (memory - results["MB of 1000"]) * 2**20 / 9000
    claims.append((f"{grown / 1e3:.1f} kB per additional row", grown < 5e3))
    for name in results:
        if name.startswith("calibration"):
            ratio, inside = results[name]
            holds = 0.85 < ratio < 1.15 and 0.92 < inside < 0.98
            claims.append((f"{name}: {ratio:.2f}, {100 * inside:.1f}%", holds))
    claims += lime_claims(results)
    for claim, holds in claims:
        print(f"{'yes' if holds else 'NO ':4}{claim}")
    return all(holds for _, holds in claims)


def main():
    warnings.simplefilter("ignore")  # of shap and shapiq
    problem, results = make_problem(), {}
    measure_sampling(problem, results)
    print()
    measure_enumeration(problem, results)
    print()
    measure_memory(problem, results)
    print()
    measure_lime(results)
    print()
    sys.exit(0 if check(results) else 1)


if __name__ == "__main__":
    main()
