"""Each check of what was measured: it fires, stays silent, does not apply."""

import numpy as np
import pandas as pd
import pytest

from skdnn import explain
from skdnn.explain._checks import ALL, CheckInput
from skdnn.explain._methods.deletion_curves import N_ORDERS
from skdnn.explain._results.deletion import DeletionCurves


@pytest.fixture(scope="module")
def shap(iris_model):
    model, X, _ = iris_model
    return explain.shap(model, X[::30], background=X, random_state=0)


@pytest.fixture(scope="module")
def profiles(iris_model):
    model, X, _ = iris_model
    return explain.partial_dependence(model, X[::10], features=[0])


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
    check = next(check for check in ALL if check.code == code)
    name, *cases = CASES[code]
    for verdict, values in zip(
        ("fires", "silent", "not applicable"), cases, strict=True
    ):
        for value in values:
            found = check(CheckInput(shap, **{name: value}))
            assert found.verdict == verdict
            assert found.words.endswith((".", ")."))
            assert found.remedy == (check.remedy if verdict == "fires" else "")


@pytest.mark.parametrize("code", CASES)
def test_attributions_only(code, profiles):
    check = next(check for check in ALL if check.code == code)
    name, fires, *_ = CASES[code]
    found = check(CheckInput(profiles, **{name: fires[0]}))
    assert found.verdict == "not applicable"


def test_curves_within_the_data(profiles, shap):
    check = next(check for check in ALL if check.code == "SKD111")
    fires = check(CheckInput(profiles, off_grid=grid(*[0.6] * 2, *[0] * 8)))
    assert fires.verdict == "fires"
    assert "most of all along “a”" in fires.words
    silent = check(CheckInput(profiles, off_grid=grid(0.6, *[0.4] * 9)))
    assert silent.verdict == "silent"
    assert check(CheckInput(profiles)).verdict == "not applicable"
    assert (
        check(CheckInput(shap, off_grid=grid(*[0.6] * 10))).verdict == "not applicable"
    )


def test_curves_that_stay_by_definition(iris_model):
    model, X, _ = iris_model
    local = explain.accumulated_local_effects(model, X[::10], features=[0])
    found = next(f for f in local.checks(model, X[::10]) if f.code == "SKD111")
    assert found.verdict == "not applicable"
    assert "as far as the data goes" in found.words


@pytest.mark.parametrize(
    ("n_samples", "verdict"), [(2, "not applicable"), (3, "silent")]
)
def test_too_few_orders_tell_nothing(shap, n_samples, verdict):
    check = next(check for check in ALL if check.code == "SKD104")
    areas = np.full(N_ORDERS, 0.6)
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, n_samples, "probability")
    # 4 columns have 24 orders, those of two rows 576
    assert check(CheckInput(shap, deletion=curves)).verdict == verdict


def test_an_order_that_others_only_meet_is_a_good_one(shap):
    check = next(check for check in ALL if check.code == "SKD104")
    areas = np.where(np.arange(N_ORDERS) < 9, 0.3, 0.6)
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, 5, "probability")
    assert curves.chance > 0.05
    assert check(CheckInput(shap, deletion=curves)).verdict == "silent"
