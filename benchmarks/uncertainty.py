"""Whether prediction sets, members and novelty point to the rows that are mistaken.

DNNClassifier() is fitted to three quarters of a table; the others are test rows.

mistakes: rows whose set has several classes are flagged. Printed are their share, which
share of all mistakes they hold, the share of mistakes among them and among all other
rows, and among as many rows with the lowest top probability.

auroc: how well a number orders mistakes before correct predictions (0.5: not at all;
mean over splits with mistakes): 1 - top probability, the share of members that name
another class, their mutual information (entropy of the mean less mean entropy), the
number of classes in the 95% set, the conformal p-value of the second class, and one
less the p-value of explain.novelty.

sets: share of sets that hold the class of their row, and mean number of classes in
them, of predict_set and of MAPIE with the same classifier and score (LAC): "split" sets
a quarter of the training rows aside for its threshold, "cross" fits four times, each
time without a quarter. MAPIE's sets may be empty; those of skdnn never are.

time: predict_set and predict_members beside predict_proba, and explain.novelty.

usage: python benchmarks/uncertainty.py [--folder FOLDER] [--splits N] [--parts A,B]

FOLDER is as in accuracy.py. Tables of more than 1,000 rows have fewer splits.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from accuracy import tables
from mapie.classification import CrossConformalClassifier, SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skdnn import DNNClassifier, explain

LEVELS = (0.8, 0.9, 0.95)
PARTS = ("mistakes", "auroc", "sets", "time")
N_FOLDS = 4


class AnyTable(ClassifierMixin, BaseEstimator):
    """DNNClassifier() for MAPIE, which tries fitted classifiers on a row of zeros."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.network_ = DNNClassifier(random_state=self.random_state).fit(X, y)
        self.classes_ = self.network_.classes_
        return self

    def predict(self, X):
        return self.network_.predict(X)

    def predict_proba(self, X):
        proba = self.network_.predict_proba(X).astype(float)
        return proba / proba.sum(axis=1, keepdims=True)


def n_splits(n_rows, most):
    """Return the number of splits of a table."""
    for least, number in ((25_000, 1), (10_000, 2), (2000, 3), (1001, 5)):
        if n_rows >= least:
            return min(most, number)
    return most


def split(frame, y, seed):
    return train_test_split(frame, y, test_size=0.25, stratify=y, random_state=seed)


def mistakes(net, X, codes):
    """Yield counts of what sets of each level flag, and as many of low probability."""
    proba = net.predict_proba(X)
    wrong, top = proba.argmax(axis=1) != codes, proba.max(axis=1)
    for level in (*LEVELS[1:], 0.99):
        several = net.predict_set(X, level).sum(axis=1) > 1
        lowest = np.zeros(len(X), dtype=bool)
        lowest[np.argsort(top, kind="stable")[: several.sum()]] = True
        yield {
            "level": level,
            "rows": len(X),
            "wrong": wrong.sum(),
            "flagged": several.sum(),
            "wrong and flagged": (wrong & several).sum(),
            "wrong and lowest": (wrong & lowest).sum(),
        }


def shares(counts):
    """Return the shares that counts of all splits together give."""
    total = counts.drop(columns="split").groupby("level").sum()
    others = total["rows"] - total["flagged"]
    return pd.DataFrame(
        {
            "flagged": total["flagged"] / total["rows"],
            "of mistakes": total["wrong and flagged"] / total["wrong"],
            "wrong, flagged": total["wrong and flagged"] / total["flagged"],
            "wrong, others": (total["wrong"] - total["wrong and flagged"]) / others,
            "wrong, lowest": total["wrong and lowest"] / total["flagged"],
        }
    )


def entropy(proba):
    return -(proba * np.log(np.clip(proba, 1e-12, None))).sum(axis=-1)


def auroc(net, X_train, X, codes, seed):
    """Return areas by the number that orders the rows; None without mistakes."""
    proba, each = net.predict_proba(X), net.predict_members(X)
    named = proba.argmax(axis=1)
    wrong = named != codes
    if not wrong.any() or wrong.all():
        return None
    novelty = explain.novelty(net, X, background=X_train, random_state=seed)
    numbers = {
        "1 - top probability": 1 - proba.max(axis=1),
        "members, votes": (each.argmax(axis=2) != named).mean(axis=0),
        "members, information": entropy(each.mean(axis=0)) - entropy(each).mean(axis=0),
        "size of 95% set": net.predict_set(X, 0.95).sum(axis=1),
        # its conformal p-value is the share of rows left out that have a lower one
        "second class": np.sort(proba, axis=1)[:, -2],
        "novelty": 1 - novelty.p_values,
    }
    return {name: roc_auc_score(wrong, number) for name, number in numbers.items()}


def sets(net, X_train, y_train, X, codes, seed):
    """Yield coverage and size of sets of each level by system."""
    by_system = {"skdnn": np.stack([net.predict_set(X, a) for a in LEVELS], axis=2)}
    options = {"confidence_level": list(LEVELS), "conformity_score": "lac"}
    fitted, held = train_test_split(
        np.arange(len(y_train)), test_size=0.25, stratify=y_train, random_state=seed
    )
    own = AnyTable(seed).fit(X_train.iloc[fitted], y_train[fitted])
    apart = SplitConformalClassifier(own, prefit=True, **options)
    apart.conformalize(X_train.iloc[held], y_train[held])
    by_system["MAPIE, split"] = apart.predict_set(X)[1]
    cross = CrossConformalClassifier(
        AnyTable(seed), cv=N_FOLDS, random_state=seed, **options
    ).fit_conformalize(X_train, y_train)
    by_system["MAPIE, cross"] = cross.predict_set(X)[1]
    rows = np.arange(len(X))
    for system, every in by_system.items():
        for at, level in enumerate(LEVELS):
            one = every[:, :, at]
            yield {
                "system": system,
                "level": level,
                "coverage": one[rows, codes].mean(),
                "classes": one.sum(axis=1).mean(),
                "empty": (~one.any(axis=1)).mean(),
            }


def measure(frame, y, seed, parts):
    """Return the rows of each part on one split."""
    X_train, X, y_train, codes = split(frame, y, seed)
    net = DNNClassifier(random_state=seed).fit(X_train, y_train)
    rows = {name: [] for name in parts}
    if "mistakes" in parts:
        rows["mistakes"] = list(mistakes(net, X, codes))
    if "auroc" in parts:
        rows["auroc"] = (
            [areas] if (areas := auroc(net, X_train, X, codes, seed)) else []
        )
    if "sets" in parts:
        rows["sets"] = list(sets(net, X_train, y_train, X, codes, seed))
    return rows


def seconds(*calls, repeats=15):
    """Return the shortest time of each call; they take turns."""
    best = [np.inf] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def measure_time():
    """Print the times of sets, members and novelty."""
    X, y = make_classification(60_000, 10, n_informative=6, random_state=0)
    net = DNNClassifier(random_state=0).fit(X[:5000], y[:5000])
    names = ("predict_proba", "predict_set", "predict_members")
    for n in (1, 100, 50_000):
        calls = [partial(getattr(net, name), X[:n]) for name in names]
        base, of_sets, of_members = seconds(*calls)
        print(
            f"{n:6,} rows: predict_proba {1e6 * base / n:.1f} microseconds per row; "
            f"predict_set {of_sets / base:.2f} times that, predict_members "
            f"{of_members / base:.2f}"
        )
    for n in (1000, 50_000):
        options = {"background": X[:5000], "random_state": 0}
        call = partial(explain.novelty, net, X[-n:], **options)
        (own,) = seconds(call, repeats=3)
        print(f"{n:6,} rows: explain.novelty {1e6 * own / n:.1f} microseconds per row")


def show(part, rows):
    """Print shares of mistakes over all splits, or means over splits."""
    table = pd.DataFrame(rows)
    if part == "mistakes":
        table = shares(table)
    elif part == "sets":
        table = table.drop(columns="split").groupby(["system", "level"], sort=False)
        table = table.mean()
    else:
        table = table.drop(columns="split").agg(["mean", "count"]).T
    print(f"\n{part}\n{table.round(3).to_string()}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--folder")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--parts", default=",".join(PARTS))
    arguments = parser.parse_args()
    parts = arguments.parts.split(",")
    warnings.simplefilter("ignore")  # of columns, and of fits that are not better
    if "time" in parts:
        measure_time()
    by_table = [part for part in parts if part != "time"]
    if not by_table:
        return
    for table, frame, y in tables(arguments.folder):
        number = n_splits(len(frame), arguments.splits)
        print(f"\n{table}: {len(frame)} rows × {frame.shape[1]}, {number} splits")
        results = {part: [] for part in by_table}
        for seed in range(number):
            for part, rows in measure(frame, y, seed, by_table).items():
                results[part] += [{"split": seed} | row for row in rows]
        for part, rows in results.items():
            if rows:
                show(part, rows)


if __name__ == "__main__":
    main()
