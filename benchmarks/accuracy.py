"""Compare accuracy, log loss, calibration error and time on the same splits.

Each classifier receives the table as its users would provide it: the raw frame for
skdnn, gradient boosting and pytabkit; a median imputer, StandardScaler and one-hot
encoding for scikit-learn's network and regression. All have their default parameters;
LightGBM, XGBoost and CatBoost are also stopped early, when the log loss of a fifth of
the training rows has not fallen for 50 rounds. Printed are means over seeds and
mean ranks over the tables, where ties share a rank. LightGBM, XGBoost and CatBoost are
included if they are installed, RealMLP and TabM if pytabkit is. For comparable times
limit all to one thread: OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1
TF_NUM_INTEROP_THREADS=1.

usage: python benchmarks/accuracy.py [--folder FOLDER] [--seeds N] [--systems A,B]

FOLDER contains CSV files (.csv, .csv.gz) with the classes in the column `target`, or in
the last column if there is none. By default the data sets of scikit-learn are used.
"""

import argparse
import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from skdnn import DNNClassifier

MEASURES = ["accuracy", "log loss", "ECE", "fit s"]
RANKED = {"accuracy": False, "log loss": True, "ECE": True}  # whether lower is better
BINS = 15
MOST_ROUNDS, PATIENCE = 2000, 50  # of boosting that is stopped early


def numeric_columns(frame):
    """Return the names of the numeric columns."""
    return frame.select_dtypes("number").columns.tolist()


def encoded(frame, classifier):
    """Return a pipeline with the preprocessing that scikit-learn's network needs."""
    numeric = numeric_columns(frame)
    categorical = [name for name in frame if name not in numeric]
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categorical),
    )
    return make_pipeline(encode, classifier)


def filled(frame, classifier):
    """Return a pipeline that imputes missing numeric values by their median."""
    fill = make_column_transformer(
        (SimpleImputer(strategy="median"), numeric_columns(frame)),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(fill.set_output(transform="pandas"), classifier)


def skdnn(frame, seed):
    """Return skdnn's classifier with default parameters."""
    return DNNClassifier(random_state=seed)


def mlp(frame, seed):
    """Return scikit-learn's network."""
    return encoded(frame, MLPClassifier(random_state=seed))


def logreg(frame, seed):
    """Return logistic regression."""
    return encoded(frame, LogisticRegression(max_iter=2000))


def hgb(frame, seed):
    """Return scikit-learn's gradient boosting."""
    return HistGradientBoostingClassifier(
        categorical_features="from_dtype", random_state=seed
    )


def realmlp(frame, seed):
    """Return RealMLP with its tuned defaults (Holzmüller et al., 2024)."""
    from pytabkit import RealMLP_TD_Classifier

    settings = {"device": "cpu", "n_cv": 1, "n_threads": 1, "verbosity": 0}
    return filled(frame, RealMLP_TD_Classifier(random_state=seed, **settings))


def tabm(frame, seed):
    """Return TabM with its defaults (Gorishniy et al., 2025)."""
    from pytabkit import TabM_D_Classifier

    settings = {"device": "cpu", "n_cv": 1, "n_threads": 1, "verbosity": 0}
    return filled(frame, TabM_D_Classifier(random_state=seed, **settings))


def lightgbm(frame, seed, **settings):
    """Return LightGBM."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, n_jobs=1, verbose=-1, **settings)


def xgboost(frame, seed, **settings):
    """Return XGBoost."""
    from xgboost import XGBClassifier

    settings |= {"enable_categorical": True, "n_jobs": 1}
    return XGBClassifier(random_state=seed, **settings)


def catboost(frame, seed, **settings):
    """Return CatBoost, which takes categories as strings."""
    from catboost import CatBoostClassifier

    numeric = numeric_columns(frame)
    settings |= {"thread_count": 1, "verbose": 0, "allow_writing_files": False}
    settings["cat_features"] = [name for name in frame if name not in numeric]
    return CatBoostClassifier(random_seed=seed, **settings)


def strings(frame):
    """Return a frame whose categories are strings, also the missing ones."""
    numeric = numeric_columns(frame)
    return frame.assign(
        **{n: frame[n].astype(object).map(str) for n in frame if n not in numeric}
    )


class WithStrings(ClassifierMixin, BaseEstimator):
    """CatBoost behind `strings`."""

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y, **options):
        if "eval_set" in options:
            X_left, y_left = options["eval_set"]
            options["eval_set"] = (strings(X_left), y_left)
        self.classifier.fit(strings(X), y, **options)
        return self

    def predict_proba(self, X):
        return self.classifier.predict_proba(strings(X))


class StoppedEarly(ClassifierMixin, BaseEstimator):
    """Boosting that ends when the loss of rows left out has not fallen for long.

    `fit_stopped` receives both parts of the rows, and returns a fitted classifier.
    """

    def __init__(self, fit_stopped, seed):
        self.fit_stopped, self.seed = fit_stopped, seed

    def fit(self, X, y):
        X_fit, X_left, y_fit, y_left = train_test_split(
            X, y, test_size=0.2, stratify=y, random_state=self.seed
        )
        self.classifier_ = self.fit_stopped(X_fit, y_fit, X_left, y_left)
        return self

    def predict_proba(self, X):
        return self.classifier_.predict_proba(X)


def lightgbm_stopped(frame, seed):
    """Return LightGBM, stopped early."""
    from lightgbm import early_stopping

    def fit(X, y, X_left, y_left):
        callbacks = [early_stopping(PATIENCE, verbose=False)]
        return lightgbm(frame, seed, n_estimators=MOST_ROUNDS).fit(
            X, y, eval_set=[(X_left, y_left)], callbacks=callbacks
        )

    return StoppedEarly(fit, seed)


def xgboost_stopped(frame, seed):
    """Return XGBoost, stopped early."""
    settings = {"n_estimators": MOST_ROUNDS, "early_stopping_rounds": PATIENCE}

    def fit(X, y, X_left, y_left):
        return xgboost(frame, seed, **settings).fit(
            X, y, eval_set=[(X_left, y_left)], verbose=False
        )

    return StoppedEarly(fit, seed)


def catboost_stopped(frame, seed):
    """Return CatBoost, stopped early."""

    def fit(X, y, X_left, y_left):
        return WithStrings(catboost(frame, seed, iterations=MOST_ROUNDS)).fit(
            X, y, eval_set=(X_left, y_left), early_stopping_rounds=PATIENCE
        )

    return StoppedEarly(fit, seed)


SYSTEMS = {"skdnn": skdnn, "mlp": mlp, "logreg": logreg, "hgb": hgb}
if importlib.util.find_spec("lightgbm"):
    SYSTEMS |= {"lightgbm": lightgbm, "lightgbm stopped": lightgbm_stopped}
if importlib.util.find_spec("xgboost"):
    SYSTEMS |= {"xgboost": xgboost, "xgboost stopped": xgboost_stopped}
if importlib.util.find_spec("catboost"):
    SYSTEMS["catboost"] = lambda frame, seed: WithStrings(catboost(frame, seed))
    SYSTEMS["catboost stopped"] = catboost_stopped
if importlib.util.find_spec("pytabkit"):
    SYSTEMS |= {"realmlp": realmlp, "tabm": tabm}


def tables(folder):
    """Yield the name, the frame and the classes of each table."""
    if folder is None:
        for load in (load_iris, load_wine, load_breast_cancer, load_digits):
            X, y = load(return_X_y=True, as_frame=True)
            yield load.__name__.removeprefix("load_"), X, y.to_numpy()
        return
    for path in sorted(Path(folder).glob("*.csv*")):
        frame = pd.read_csv(path)
        labels = frame.pop("target" if "target" in frame else frame.columns[-1])
        for name in frame.columns.difference(numeric_columns(frame)):
            strings = frame[name].map(str, na_action="ignore")
            frame[name] = strings.astype("category")
        yield path.name.split(".")[0], frame, LabelEncoder().fit_transform(labels)


def calibration_error(y, proba):
    """Return the expected calibration error, with 15 bins of equal size."""
    confidence, correct = proba.max(axis=1), proba.argmax(axis=1) == y
    bins = np.array_split(np.argsort(confidence), BINS)
    gaps = [abs(correct[i].sum() - confidence[i].sum()) for i in bins if len(i)]
    return sum(gaps) / len(y)


def measure(make, frame, y, seed):
    """Return the scores of a classifier on the test rows of a split."""
    X_train, X_test, y_train, y_test = train_test_split(
        frame, y, test_size=0.25, stratify=y, random_state=seed
    )
    classifier = make(frame, seed)
    start = time.perf_counter()
    classifier.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    proba = np.clip(np.asarray(classifier.predict_proba(X_test), float), 1e-7, 1)
    proba /= proba.sum(axis=1, keepdims=True)
    return {
        "accuracy": accuracy_score(y_test, proba.argmax(axis=1)),
        "log loss": log_loss(y_test, proba, labels=np.unique(y)),
        "ECE": calibration_error(y_test, proba),
        "fit s": seconds,
    }


def mean_ranks(means):
    """Return the mean rank of each system in each measure, over all tables."""
    ranks = {
        name: means[name].unstack("system").rank(axis=1, ascending=lower).mean()
        for name, lower in RANKED.items()
    }
    return pd.DataFrame(ranks).sort_values("log loss")


def main():
    """Measure, and print tables of means and ranks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--folder")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    arguments = parser.parse_args()
    chosen = {name: SYSTEMS[name] for name in arguments.systems.split(",")}
    warnings.simplefilter("ignore")  # convergence warnings of the default parameters
    # a small fit first, so that importing the backend is not measured
    DNNClassifier(max_iter=1, random_state=0).fit(*load_iris(return_X_y=True))
    rows = []
    for table, frame, y in tables(arguments.folder):
        for seed in range(arguments.seeds):
            for system, make in chosen.items():
                scores = measure(make, frame, y, seed)
                rows.append({"table": table, "system": system, "seed": seed} | scores)
        of_table = pd.DataFrame(rows).query("table == @table")
        means = of_table.groupby("system", sort=False)[MEASURES].mean()
        print(f"\n{table}: {len(frame)} rows × {frame.shape[1]}\n{means.round(4)}")
    means = pd.DataFrame(rows).groupby(["table", "system"], sort=False)[MEASURES].mean()
    print(f"\nmean ranks over {len(means.index.unique('table'))} tables")
    print(mean_ranks(means).round(2))


if __name__ == "__main__":
    main()
