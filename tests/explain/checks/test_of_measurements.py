"""Each check of a measurement fires, stays silent, and does not apply."""

import numpy as np
import pandas as pd
import pytest

from skdnn import explain
from skdnn.explain._checks import CHECKS, Measurements
from skdnn.explain._methods.deletion_curves import N_ORDERS
from skdnn.explain._results.tables import DeletionCurves


@pytest.fixture(scope="module")
def shap(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::30], background=X, random_state=0)


@pytest.fixture(scope="module")
def profiles(iris_model):
    model, X, _ = iris_model
    return explain.partial_dependence(model, X[::10], features=[0])


def by_code(code):
    return next(check for check in CHECKS if check.code == code)


def deletion(n_as_good):
    areas = np.where(np.arange(N_ORDERS) < n_as_good, 0.2, 0.6)
    return DeletionCurves(pd.DataFrame(), areas, 0.3, 5, "probability")


def reruns(rank, moved):
    return pd.DataFrame({"seed": [1, 2], "rank": [rank, 1.0], "moved": [0.0, moved]})


def agreement(rank, sign):
    return pd.DataFrame(
        {
            "method_a": ["SHAP", "SHAP"],
            "method_b": ["LIME", "break-down"],
            "rank": [rank, 0.9],
            "sign": [0.9, sign],
        }
    )


def grid(*off_data):
    return pd.DataFrame({"feature": "a", "x": range(10), "off_data": off_data})


CASES = {
    "SKD104": ("deletion", [deletion(2)], [deletion(0)], [None]),
    "SKD106": (
        "reruns",
        [reruns(0.65, 0.0), reruns(1.0, 0.25)],
        [reruns(0.75, 0.15)],
        [None, reruns(np.nan, 0.0).iloc[:1]],
    ),
    "SKD107": (
        "agreement",
        [agreement(0.3, 0.9), agreement(0.9, 0.6)],
        [agreement(0.5, 0.8)],
        [None, pd.DataFrame({"rank": [np.nan], "sign": [np.nan]})],
    ),
    "SKD108": ("off_data", [0.4], [0.05, 0.3], [None]),
}  # fmt: skip


@pytest.mark.parametrize("code", CASES)
def test_fires_stays_silent_or_does_not_apply(code, shap):
    check = by_code(code)
    name, *cases = CASES[code]
    for verdict, values in zip(
        ("fires", "silent", "not applicable"), cases, strict=True
    ):
        for value in values:
            answer = check(shap, Measurements(**{name: value}))
            assert answer.verdict == verdict
            assert answer.remedy == (check.remedy if verdict == "fires" else "")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "SKD104",
            "Deleting columns in this order leaves a mean probability of 0.300, in "
            "random order 0.579; 2 of 39 random orders are as good.",
        ),
        (
            "SKD106",
            "Over 2 other seeds, attributions change by up to 0% of their size; the "
            "lowest rank correlation is 0.65.",
        ),
        (
            "SKD107",
            "The lowest rank correlation is 0.30, between SHAP and LIME; signs agree "
            "for at least 90% of the weight.",
        ),
        (
            "SKD108",
            "40% of the synthetic rows lie off the data; of the data itself, 5% do.",
        ),
    ],
)
def test_words(code, words, shap):
    name, fires, *_ = CASES[code]
    assert by_code(code)(shap, Measurements(**{name: fires[0]})).words == words


@pytest.mark.parametrize("code", CASES)
def test_they_apply_to_attributions_only(code, profiles):
    check = by_code(code)
    name, fires, *_ = CASES[code]
    answer = check(profiles, Measurements(**{name: fires[0]}))
    assert answer.verdict == "not applicable"
    assert answer.words == "Applies to attributions only."


def test_curves_within_the_data(profiles, shap):
    check = by_code("SKD111")
    fires = check(profiles, Measurements(off_grid=grid(*[0.6] * 2, *[0] * 8)))
    assert fires.verdict == "fires"
    assert "most often along “a”" in fires.words
    silent = check(profiles, Measurements(off_grid=grid(0.6, *[0.4] * 9)))
    assert silent.verdict == "silent"
    assert check(profiles, Measurements()).verdict == "not applicable"
    answer = check(shap, Measurements(off_grid=grid(*[0.6] * 10)))
    assert answer.words == "Applies to profiles only."


def test_accumulated_local_effects_stay_within_the_data(iris_model):
    model, X, _ = iris_model
    local = explain.accumulated_local_effects(model, X[::10], features=[0])
    answer = next(f for f in local.checks(model, X[::10]) if f.code == "SKD111")
    assert answer.verdict == "not applicable"
    assert answer.words == "Rows are moved only within the data."


@pytest.mark.parametrize(
    ("n_samples", "verdict"), [(2, "not applicable"), (3, "silent")]
)
def test_too_few_orders_do_not_apply(shap, n_samples, verdict):
    check = by_code("SKD104")
    areas = np.full(N_ORDERS, 0.6)
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, n_samples, "probability")
    # 4 columns have 24 orders, those of two rows 576
    assert check(shap, Measurements(deletion=curves)).verdict == verdict


def test_an_order_that_others_only_tie_is_silent(shap):
    check = by_code("SKD104")
    areas = np.where(np.arange(N_ORDERS) < 9, 0.3, 0.6)
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, 5, "probability")
    assert curves.chance > 0.05
    assert check(shap, Measurements(deletion=curves)).verdict == "silent"
