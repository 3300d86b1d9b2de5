import json

import numpy as np
import pytest
from jsonschema import ValidationError

from skdnn.explain._report.summary import summarise


def test_summary_is_strict_json(evidence):
    text = json.dumps(summarise(evidence), allow_nan=False)
    assert json.loads(text) == summarise(evidence)


def test_every_key_is_in_the_schema(evidence, schema):
    summary = json.loads(json.dumps(summarise(evidence)))
    schema.validate(summary)
    with pytest.raises(ValidationError, match="unexpected"):
        schema.validate(summary | {"another": 1})


def test_numbers_are_those_of_the_results(evidence):
    summary = summarise(evidence)
    accuracy = summary["scores"]["rows"][0]
    assert accuracy["model"]["value"] == evidence.performance.scores["accuracy"].value
    rival = summary["scores"]["rivals"][1]
    own = evidence.rivals[1].performance.scores["accuracy"].value
    assert rival["scores"]["accuracy"]["value"] == own
    difference = rival["differences"]["accuracy"]["value"]
    assert difference == pytest.approx(accuracy["model"]["value"] - own)
    assert summary["confusion"]["matrix"] == evidence.performance.confusion.tolist()
    first = summary["permutation_importance"]["rows"][0]
    frame = evidence.importance.frame()
    assert first["value"] == frame["importance"].max()
    mean = np.abs(evidence.shap.values).mean(0)
    top = summary["shap"]["rows"][0]
    assert top["feature"] == evidence.feature_names[mean.sum(1).argmax()]
    assert top["total"] == pytest.approx(mean.sum(1).max())


def test_sections_of_a_network_need_a_network(make_evidence, evidence):
    assert summarise(evidence)["training"]["n_epochs"] == 60
    assert summarise(evidence)["subject"] == "network"
    summary = summarise(make_evidence())
    assert summary["network"] is None
    assert summary["training"] is None
    assert summary["subject"] == "model"
