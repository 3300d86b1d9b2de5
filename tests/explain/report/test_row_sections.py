from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report.row_sections import LOW_R2, rows


def test_rows_hold_the_attributions_of_the_predicted_class(evidence):
    sections = rows(evidence)
    for i, (row, _) in enumerate(evidence.chosen):
        section = sections[i]
        k = evidence.predicted[row]
        assert section["predicted"] == evidence.classes[k]
        assert section["actual"] == evidence.classes[evidence.codes[row]]
        by_name = {f["feature"]: f for f in section["features"]}
        for j, name in enumerate(evidence.feature_names):
            assert by_name[name]["shap"] == evidence.shap.values[row, j, k]
            assert by_name[name]["lime"] == evidence.lime.values[i, j, k]
        assert section["lime_r2"] == evidence.lime.score[i, k]
        assert section["lime_is_poor"] == (evidence.lime.score[i, k] < LOW_R2)


def test_lime_has_its_scale_and_what_cells_are_compared_with(make_evidence):
    evidence = make_evidence()
    n, d = evidence.lime.values.shape[:2]
    others = np.empty((n, d), dtype=object)
    others[:, 0] = 1.23456 + np.arange(n)
    scales = np.linspace(0.1, 1, n)
    lime = replace(evidence.lime, scales=scales, references=others)
    for i, section in enumerate(rows(replace(evidence, lime=lime))):
        assert section["lime_scale"] == scales[i]
        by_name = {f["feature"]: f["lime_reference"] for f in section["features"]}
        compared = [by_name[name] for name in evidence.feature_names[:2]]
        assert compared == [f"{others[i, 0]:.4g}", None]
    first = rows(evidence)[0]
    assert first["lime_scale"] is first["features"][0]["lime_reference"] is None


def test_steps_lead_from_the_average_to_the_prediction(evidence):
    for i, row in enumerate(rows(evidence)):
        k = evidence.predicted[row["position"]]
        steps = row["steps"]
        assert steps[0]["start"] == pytest.approx(evidence.break_down.base_values[k])
        assert steps[-1]["end"] == pytest.approx(evidence.break_down.predictions[i, k])
        names = [evidence.feature_names[j] for j in evidence.break_down.orders[i]]
        assert [step["feature"] for step in steps] == names


def test_the_last_of_many_steps_are_combined(make_evidence):
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 20)))
    evidence = make_evidence(X)
    row = rows(evidence)[0]
    assert len(row["steps"]) == 13
    assert row["steps"][-1]["feature"].split() == ["8", "other", "columns"]
    k = evidence.predicted[row["position"]]
    assert row["steps"][-1]["end"] == pytest.approx(
        evidence.break_down.predictions[0, k]
    )


def test_sentences_and_curves_of_rows_are_those_of_the_results(evidence):
    for i, row in enumerate(rows(evidence)):
        at, k = row["position"], evidence.predicted[row["position"]]
        assert row["words"] == evidence.shap.describe(
            at, target_class=evidence.classes[k]
        )
        result = replace(evidence.counterfactuals, actionable={})
        assert row["counterfactual"]["words"] == result.describe(i)
        first = row["ceteris_paribus"][0]
        assert first["feature"] == row["features"][0]["feature"]
        j = evidence.feature_names.index(first["feature"])
        assert first["own"] == evidence.columns[j][at]
        assert first["own"] in first["x"]


def test_errors_are_half_the_width_of_intervals(make_evidence):
    evidence = make_evidence()
    evidence.shap.std_errors[:] = 0.01
    row = rows(evidence)[0]
    for item in row["features"]:
        assert item["shap_error"] == pytest.approx(0.0196, abs=1e-4)


def test_labels_are_shown_if_they_are_not_positions(make_evidence):
    assert all(row["label"] is None for row in rows(make_evidence()))
    evidence = make_evidence(row_labels=[f"case {i}" for i in range(40)])
    for row in rows(evidence):
        assert row["label"] == f"case {row['position']}"
    assert rows(make_evidence(row_labels=None))[0]["label"] is None
