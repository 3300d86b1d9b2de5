import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from skdnn.explain._methods.performance_curves import (
    MAX_POINTS,
    abstention_table,
    curve_tables,
)
from skdnn.explain._methods.performance_scores import measure, wilson

NAMES = np.array(["a", "b", "c"])


def _predictions(n, seed=0, digits=2):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    proba = rng.dirichlet(np.ones(3), n) + 0.4 * np.eye(3)[codes]
    proba = np.round(proba / proba.sum(axis=1, keepdims=True), digits)
    return codes, proba, rng.integers(1, 4, n).astype(float)


def _curves(codes, proba, weight):
    weight = weight / weight.mean()
    measured = measure(codes, proba, weight=weight, n_draws=200)
    return curve_tables(codes, proba, weight, measured, NAMES)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_curves_are_those_of_scikit_learn(is_weighted):
    codes, proba, weight = _predictions(200)
    weight = weight if is_weighted else np.ones(200)
    curves = _curves(codes, proba, weight)
    options = {"sample_weight": weight, "drop_intermediate": False}
    for k, name in enumerate(NAMES):
        given = codes == k, proba[:, k]
        roc = curves["roc"][curves["roc"]["class"] == name]
        expected = metrics.roc_curve(*given, **options)
        columns = ["false_positive_rate", "true_positive_rate", "threshold"]
        np.testing.assert_allclose(roc[columns].T, expected)
        table = curves["precision_recall"]
        table = table[table["class"] == name][::-1]
        precision, recall, thresholds = metrics.precision_recall_curve(
            *given, **options
        )
        np.testing.assert_allclose(table["precision"], precision)
        np.testing.assert_allclose(table["recall"], recall, atol=1e-12)
        np.testing.assert_allclose(table["threshold"][:-1], thresholds)


def test_gains_by_hand():
    codes, proba, _ = _predictions(60)
    table = _curves(codes, proba, np.ones(60))["gains"]
    table = table[table["class"] == "b"]
    assert table.iloc[0][["rows", "gain"]].tolist() == [0, 0]
    for row in table.iloc[1:].itertuples():
        best = proba[:, 1] >= row.threshold
        assert row.rows == pytest.approx(best.mean())
        assert row.gain == pytest.approx((codes[best] == 1).sum() / (codes == 1).sum())
        assert row.lift == pytest.approx(
            (codes[best] == 1).mean() / (codes == 1).mean()
        )


def test_calibration_is_by_class_and_of_the_predicted_one():
    codes, proba, _ = _predictions(300)
    table = _curves(codes, proba, np.ones(300))["calibration"]
    top = table[table["class"].isna()]
    assert top["n_rows"].sum() == 300
    hits = (top["n_rows"] * top["observed"]).sum()
    assert hits == pytest.approx((proba.argmax(axis=1) == codes).sum())
    of_class = table[table["class"] == "c"]
    first = of_class.iloc[0]
    rows = proba[:, 2] < 1 / 15
    assert first["n_rows"] == rows.sum()
    assert first["predicted"] == pytest.approx(proba[rows, 2].mean())
    assert first["observed"] == pytest.approx((codes[rows] == 2).mean())


def test_long_curves_are_thinned_and_keep_their_ends():
    codes, proba, _ = _predictions(4000, digits=9)
    curves = _curves(codes, proba, np.ones(4000))
    for name in ("roc", "precision_recall", "gains"):
        sizes = curves[name].groupby("class").size()
        assert (sizes == MAX_POINTS + 1).all()
    last = curves["roc"].groupby("class").last()
    assert (last[["false_positive_rate", "true_positive_rate"]] == 1).all().all()
    roc = curves["roc"][curves["roc"]["class"] == "a"]
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(
        metrics.roc_auc_score(codes == 0, proba[:, 0]), abs=1e-3
    )


def test_a_class_without_rows_has_no_rates():
    codes, proba, _ = _predictions(40)
    kept = codes != 1
    roc = _curves(codes[kept], proba[kept], np.ones(kept.sum()))["roc"]
    roc = roc[roc["class"] == "b"]
    assert roc["true_positive_rate"].isna().all()
    assert roc["false_positive_rate"].iloc[-1] == 1


def test_abstention_by_hand():
    codes, proba, weight = _predictions(80)
    top, right = proba.max(axis=1), proba.argmax(axis=1) == codes
    table = abstention_table(top, right, np.ones(80))
    assert table["answered"].iloc[-1] == 1
    assert table["threshold"].is_monotonic_decreasing
    for row in table.itertuples():
        kept = top >= row.threshold
        assert row.n_rows == kept.sum()
        assert row.answered == pytest.approx(kept.mean())
        assert row.accuracy == pytest.approx(right[kept].mean())
        assert (row.ci_low, row.ci_high) == pytest.approx(
            wilson(right[kept].sum(), kept.sum())
        )
    weighted = abstention_table(top, right, weight).iloc[-1]
    n = weight.sum() ** 2 / (weight**2).sum()
    share = np.average(right, weights=weight)
    ends = weighted["ci_low"], weighted["ci_high"]
    assert ends == pytest.approx(wilson(share * n, n))


def test_abstention_has_a_bounded_number_of_rows():
    top = np.random.default_rng(0).random(5000)
    table = abstention_table(top, top > 0.5, np.ones(5000))
    assert len(table) == 100
    pd.testing.assert_series_equal(
        table["answered"].round(2), pd.Series(np.arange(1, 101) / 100, name="answered")
    )
