"""Recognition of unusual rows by explain.novelty and by the detectors of scikit-learn.

A third of each table is left out, and its rows are shifted: one number by three
standard deviations; one cell, or about half of all, exchanged for those of another row;
one category that is new; one missing cell in a column without any. Areas are ROC AUC of
shifted rows against the rows left out, means over three splits. The detectors are given
standardised numbers, missing ones as the mean with an indicator, and indicators of
categories. False alarms are shares of unshifted rows: p-values of at most 0.05 of
explain.novelty, `predict` of the detectors with `contamination` or `nu` of 0.05. Then
the time of explain.novelty.

Run it with ``python benchmarks/novelty.py``.
"""

import time
import warnings

import numpy as np
import pandas as pd
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from skdnn import explain

N_SPLITS = 3
DETECTORS = {
    "IsolationForest": lambda: IsolationForest(contamination=0.05, random_state=0),
    "LocalOutlierFactor": lambda: LocalOutlierFactor(novelty=True, contamination=0.05),
    "EllipticEnvelope": lambda: EllipticEnvelope(
        contamination=0.05, support_fraction=0.9, random_state=0
    ),
    "OneClassSVM": lambda: OneClassSVM(nu=0.05),
}


class Anything:
    classes_ = np.array(["no", "yes"])

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def tables():
    rng = np.random.default_rng(0)
    for name, load in (
        ("iris", load_iris), ("wine", load_wine), ("breast_cancer", load_breast_cancer)
    ):  # fmt: skip
        yield name, pd.DataFrame(load().data)
    yield "digits, 600 rows", pd.DataFrame(load_digits().data[:600])
    mixed = rng.normal(size=(800, 5)) @ rng.normal(size=(5, 10))
    yield "made, correlated", pd.DataFrame(mixed + 0.5 * rng.normal(size=mixed.shape))
    x, others = rng.uniform(0, 6, 800), rng.normal(size=(800, 4))
    curve = np.column_stack([x, np.sin(x) + 0.1 * rng.normal(size=800), others])
    yield "made, a curve", pd.DataFrame(curve)
    groups = 3 * rng.normal(size=(6, 6))
    clusters = groups[rng.integers(6, size=800)] + rng.normal(size=(800, 6))
    yield "made, clusters", pd.DataFrame(clusters)
    city = rng.integers(0, 12, 900)
    missing = np.where(rng.random(900) < 0.1, np.nan, rng.normal(size=900))
    yield (
        "made, categories",
        pd.DataFrame(
            {
                "city": [f"c{k}" for k in city],
                "country": [f"d{k // 3}" for k in city],
                "plan": rng.choice(list("abcde"), 900, p=[0.6, 0.3, 0.05, 0.03, 0.02]),
                "income": city // 3 * 2 + rng.normal(size=900),
                "missing": missing,
                "skewed": np.exp(rng.normal(size=900)),
                "count": rng.integers(0, 9, 900).astype(float),
            }
        ),
    )


def shifted(rows, background, rng):
    """Yield tables of shifted rows."""
    n, d = rows.shape
    numbers = [
        j for j in range(d) if pd.api.types.is_numeric_dtype(rows.dtypes.iloc[j])
    ]
    full = [j for j in numbers if background.iloc[:, j].notna().all()]
    cells = rows.to_numpy(dtype=object)
    other = background.to_numpy(dtype=object)
    at = np.arange(n)

    def table(changed):
        return pd.DataFrame(changed, columns=rows.columns).astype(rows.dtypes)

    far, columns = cells.copy(), rng.choice(full, n)
    steps = 3 * background.iloc[:, columns].std().to_numpy()
    far[at, columns] = far[at, columns] + steps * rng.choice([-1, 1], n)
    yield table(far)
    one, columns = cells.copy(), rng.integers(d, size=n)
    one[at, columns] = other[rng.integers(len(other), size=n), columns]
    yield table(one)
    drawn = other[rng.integers(len(other), size=n)]
    yield table(np.where(rng.random((n, d)) < 0.5, drawn, cells))
    if len(numbers) < d:
        new = cells.copy()
        new[at, rng.choice(np.setdiff1d(np.arange(d), numbers), n)] = "new"
        yield table(new)
    missing = cells.copy()
    missing[at, rng.choice(full, n)] = np.nan
    yield table(missing)


def points(background):
    """Return a function from rows to points, of which detectors need no more."""
    numbers = background.select_dtypes("number")
    mean, spread = numbers.mean(), numbers.std().replace(0, 1)
    texts = background.columns.difference(numbers.columns)
    known = {name: sorted(background[name].unique()) for name in texts}

    def transform(rows):
        own = rows[numbers.columns]
        parts = [((own - mean) / spread).fillna(0), own.isna().astype(float)]
        for name, categories in known.items():
            share = background[name].value_counts(normalize=True)[categories].to_numpy()
            is_in = rows[name].to_numpy()[:, None] == np.array(categories, dtype=object)
            parts.append(pd.DataFrame((is_in - share) / np.sqrt(share * (1 - share))))
        return np.hstack([np.asarray(part, dtype=float) for part in parts])

    return transform


def area(known, unusual):
    is_shifted = np.repeat([0, 1], [len(known), len(unusual)])
    return roc_auc_score(is_shifted, np.concatenate([known, unusual]))


def measure(table):
    """Return areas and false alarms by system, means over splits."""
    areas, alarms = {}, {}
    for seed in range(N_SPLITS):
        rng = np.random.default_rng(seed)
        table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
        n = 2 * len(table) // 3
        background, rows = table[:n], table[n:].reset_index(drop=True)
        changed = list(shifted(rows, background, rng))
        options = {"background": background, "random_state": seed}
        every = pd.concat([rows, *changed], ignore_index=True)
        result = explain.novelty(Anything(), every, **options)
        parts = np.split(result.scores, len(changed) + 1)
        own = [area(parts[0], part) for part in parts[1:]]
        areas.setdefault("explain.novelty", []).append(np.mean(own))
        share = (result.p_values[: len(rows)] <= 0.05).mean()
        alarms.setdefault("explain.novelty", []).append(share)
        transform = points(background)
        for name, make in DETECTORS.items():
            detector = make().fit(transform(background))
            parts = [-detector.score_samples(transform(t)) for t in (rows, *changed)]
            own = [area(parts[0], part) for part in parts[1:]]
            areas.setdefault(name, []).append(np.mean(own))
            share = (detector.predict(transform(rows)) < 0).mean()
            alarms.setdefault(name, []).append(share)
    return [{k: np.mean(v) for k, v in part.items()} for part in (areas, alarms)]


def measure_time():
    rng = np.random.default_rng(0)
    for d in (10, 20):
        background, rows = (rng.normal(size=(n, d)) for n in (10_000, 100_000))
        start = time.perf_counter()
        explain.novelty(Anything(), rows, background=background, random_state=0)
        each = (time.perf_counter() - start) / len(rows)
        print(f"100,000 rows of {d} columns: {1e6 * each:.1f} microseconds per row")


def main():
    warnings.simplefilter("ignore")  # of detectors without full rank
    names = ["explain.novelty", *DETECTORS]
    print(f"{'ROC AUC; false alarms':22}", *(f"{name:>20}" for name in names))
    for title, table in tables():
        areas, alarms = measure(table)
        cells = [f"{areas[name]:.2f}; {alarms[name]:.1%}" for name in names]
        print(f"{title:22}", *(f"{cell:>20}" for cell in cells), flush=True)
    measure_time()


if __name__ == "__main__":
    main()
