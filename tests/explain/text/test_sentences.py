from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn import explain
from skdnn.explain._results.attributions import Attributions
from skdnn.explain._results.counterfactuals import Counterfactuals
from skdnn.explain._results.tables import ResultTable
from skdnn.explain._text.formatting import MINUS
from skdnn.explain._text.sentences import (
    cell_text,
    class_text,
    describe_importance,
)

VALUES = np.array([0.41, 0.2, -0.1, 0.03, 0.01, 0.004])
NAMES = ["petal width (cm)", "city", "age", "member", "e", "f"]
CELLS = np.array([1.8, "Oslo", np.nan, True, 5, 6], dtype=object)


def attributions(values=VALUES, errors=0.0, **changes):
    """Return one row, of classes whose second is predicted."""
    both = np.stack([-values, values], axis=-1)[None]
    fields = {
        "values": both,
        "std_errors": np.broadcast_to(np.asarray(errors, float), both.shape),
        "base_values": np.array([0.66, 0.34]),
        "predictions": np.array([[0.66, 0.34]]) + both.sum(axis=1),
        "feature_names": NAMES[: len(values)],
        "class_names": np.array(["setosa", "virginica"]),
        "data": CELLS[None, : len(values)],
        "method": "exact",
        "output": "probability",
        "n_background": 100,
        "random_state": 0,
    }
    return Attributions(**{**fields, **changes})


def described(result, *args, **options):
    return result.describe(*args, **options)


def test_exact_values():
    assert described(attributions()) == (
        "For this row, petal width (cm) = 1.8 raises the probability of virginica by "
        "0.41, city = Oslo by 0.20 and member = True by 0.03; missing age lowers it by "
        "0.10. The 2 other columns together raise it by 0.01. The average over 100 "
        "background rows is 0.34; the prediction is 0.89."
    )


def test_the_other_class_has_its_own_direction():
    text = described(attributions(), target_class="setosa")
    assert "missing age raises the probability of setosa by 0.10" in text
    assert "petal width (cm) = 1.8 lowers it by 0.41" in text
    assert "background rows is 0.66" in text
    assert text.endswith("the prediction is 0.11.")


def test_sampled_values_have_their_interval():
    text = described(attributions(errors=0.01))
    assert "raises the probability of virginica by 0.41 ± 0.02" in text
    assert text.endswith("is 0.89. ± is half of a 95% interval.")
    assert "by 0.41 ± < 0.01" in described(attributions(errors=1e-4))


def test_uncertain_signs_are_named():
    text = described(attributions(errors=0.06))
    certain, _, rest = text.partition(". ")
    assert "missing age" not in certain
    uncertain = f"missing age ({MINUS}0.10 ± 0.12) and member = True (+0.03 ± 0.12)."
    assert rest.startswith(f"The direction is uncertain for {uncertain}")
    text = described(attributions(errors=1.0))
    assert text.startswith("For this row, no column clearly changes the probability of")


def test_refits_are_part_of_the_interval():
    refitted = attributions()
    errors = np.zeros(refitted.values.shape)
    errors[0, 0], errors[0, 2] = 0.05, 0.3
    text = described(replace(refitted, refit_errors=errors))
    assert "raises the probability of virginica by 0.41 ± 0.10" in text
    assert f"uncertain for missing age ({MINUS}0.10 ± 0.60)." in text
    end = "± is half of a 95% interval that includes the variation between members."
    assert text.endswith(end)


def test_only_the_first_few_are_named_and_the_rest_summed():
    values = np.full(20, 0.02)
    many = attributions(
        values,
        feature_names=[f"x{j}" for j in range(20)],
        data=np.zeros((1, 20), dtype=object),
    )
    text = described(many)
    assert text.count("=") == 4
    assert "The 16 other columns together raise it by 0.32." in text


def test_one_other_column_and_one_that_hardly_moves():
    text = described(attributions(np.array([0.4, 0.001])))
    assert "The other column changes it by less than 0.01." in text
    text = described(attributions(np.array([0.4, -0.016])))
    assert "The other column lowers it by 0.02." in text


def test_small_attributions_are_shown_with_more_digits():
    small = attributions(np.array([0.0031, -0.0007]))
    text = described(small, target_class="virginica")
    assert "by 0.0031;" in text
    assert "lowers it by 0.0007." in text


def test_nothing_moves():
    text = described(attributions(np.zeros(3)), target_class="virginica")
    assert text.startswith(
        "For this row, no column changes the probability of virginica."
    )


def test_log_odds_and_contrasts_are_named():
    text = described(attributions(output="log_odds"))
    assert "raises the log odds of virginica by 0.41" in text
    assert "probability" not in text
    single = attributions()
    contrast = replace(
        single,
        values=single.values[:, :, 1:],
        std_errors=single.std_errors[:, :, 1:],
        base_values=np.array([-0.2]),
        predictions=single.predictions[:, 1:],
        class_names=np.array(["virginica - setosa"]),
    )
    assert (
        "raises the difference in probability, virginica - setosa, by 0.41"
        in described(contrast)
    )


def test_surrogates_are_named_and_poor_ones_describe_no_column():
    good = attributions(score=np.array([[0.9, 0.83]]))
    assert described(good).endswith("in a linear surrogate around the row (R² = 0.83).")
    poor = described(attributions(score=np.array([[0.9, 0.31]])))
    assert poor == (
        "For this row, the linear surrogate of the probability of virginica fits "
        "poorly (R² = 0.31), so no column is named."
    )
    unknown = described(attributions(score=np.array([[0.9, np.nan]])))
    assert "petal" not in unknown


def test_numbers_are_those_of_the_results(iris_model):
    model, X, _ = iris_model
    result = explain.shap(model, X[100:103], background=X, random_state=0)
    text = described(result, 1, target_class="versicolor")
    values = result.values[1, :, 1]
    j = np.abs(values).argmax()
    assert f"{result.feature_names[j]} = {result.data[1, j]:.4g}" in text
    assert f"by {abs(values[j]):.2f}" in text
    assert f"{result.predictions[1, 1]:.2f}." in text
    steps = explain.break_down(model, X[100:101], background=X, random_state=0)
    assert "In another order" in described(steps)
    with pytest.raises(ValueError, match="one of the 3 explained rows"):
        result.describe(3)
    with pytest.raises(ValueError, match="Did you mean 'virginica'"):
        result.describe(target_class="virginia")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1.23456, "x = 1.235"),
        (-2.0, f"x = {MINUS}2"),
        (3, "x = 3"),
        ("a b", "x = a b"),
        (None, "missing x"),
        (pd.NA, "missing x"),
        (np.float64("nan"), "missing x"),
        (pd.Timestamp("2020-01-02"), "x = 2020-01-02 00:00:00"),
    ],
)
def test_cells(cell, text):
    assert cell_text("x", cell) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [("a", "a"), (np.str_("a"), "a"), (0, "class 0"), (np.bool_(True), "class True")],
)
def test_classes(label, text):
    assert class_text(label) == text


class TestImportance:
    def importance(self, values, half=0.01):
        values = np.array(values)
        table = pd.DataFrame(
            {
                "feature": [f"x{j}" for j in range(len(values))],
                "importance": values,
                "ci_low": values - half,
                "ci_high": values + half,
            }
        )
        return ResultTable(table, "Importance", "importance")

    def test_first_three_and_overlaps(self):
        text = describe_importance(self.importance([0.1, 0.3, 0.105, 0.05, 0.0]))
        assert text == (
            "Shuffling x1 lowers the score by 0.30 (0.29 to 0.31), x2 by 0.10 (0.10 to "
            "0.11) and x0 by 0.10 (0.09 to 0.11). The intervals of x2 and x0 "
            "overlap. For 1 of 5 columns the interval is not above 0."
        )

    def test_of_nothing(self):
        assert "does not lower" in describe_importance(self.importance([0.0, -0.1]))

    def test_of_results(self, iris_model):
        model, X, y = iris_model
        result = explain.permutation_importance(model, X, y, random_state=0)
        assert result.describe().startswith("Shuffling petal")
        effects = explain.average_conditional_effects(model, X[:20])
        with pytest.raises(ValueError, match=r"importance\. Got effects; read frame"):
            effects.describe()


class TestCounterfactuals:
    def test_of_results(self, iris_model):
        model, X, _ = iris_model
        rows = X.iloc[[100, 60, 0]]
        result = explain.counterfactuals(model, rows, background=X, n_alternatives=2)
        for i, row in enumerate(
            result.changes().groupby("sample").first().itertuples()
        ):
            text = result.describe(i)
            target = result.frame()[result.frame()["sample"] == i]["target"].iloc[0]
            assert text.startswith(
                f"This row would be {target} if {row.feature} were {row.new:.4g} "
                f"instead of {row.old:.4g}"
            )
        with pytest.raises(ValueError, match="one of the 3 explained rows"):
            result.describe(3)

    def test_rows_of_the_class_and_rows_without_a_counterfactual(self, iris_model):
        model, X, _ = iris_model
        result = explain.counterfactuals(
            model, X.iloc[[100, 0]], background=X, target_class="virginica",
            actionable={2: False, 3: False},
        )  # fmt: skip
        assert result.describe(0) == "This row is already virginica."
        assert result.describe(1) == (
            "No allowed change makes this row virginica: no row like the background "
            "rows changes the prediction within the columns that may change."
        )

    def test_several_changes_and_other_classes(self):
        table = pd.DataFrame(
            {"sample": [1, 1], "found": [True, True], "target": ["a", 2]}, index=[3, 4]
        )
        changed = pd.DataFrame(
            [
                (3, "x", 1.5, 2.5),
                (3, "w", "u", "v"),
                (4, "x", 1.5, -1.0),
                (4, "n", None, 3),
            ],
            columns=["row", "feature", "old", "new"],
        )
        fewest = Counterfactuals(
            table, changed, np.array([False, True]), 10, actionable={}
        )
        assert fewest.describe(1) == (
            "This row would be a if x were 2.5 instead of 1.5 and w were v instead of "
            f"u, or class 2 if x were {MINUS}1 instead of 1.5 and n were 3 instead of "
            "missing; fewer changes are not enough."
        )
        unknown = replace(fewest, is_fewest=np.array([False, False]))
        assert unknown.describe(1).endswith("3 instead of missing.")
