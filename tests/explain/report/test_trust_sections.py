from skdnn.explain._report import trust_sections


def test_trust_is_that_of_the_results(evidence):
    fired = [f.code for checks in evidence.checks for f in checks.fired]
    assert sorted(
        f["code"] for f in trust_sections.checks(evidence)["fired"]
    ) == sorted(fired)
    deletion = trust_sections.deletion(evidence)[0]
    assert (deletion["method"], deletion["area"]) == ("SHAP", 0.6)
    assert deletion["words"].startswith("SHAP ranks the columns better than chance")
    row = trust_sections.stability(evidence)["rows"][1]
    assert (row["method"], row["rank"], row["moved"]) == ("LIME", 0.9, 0.1)


def test_agreement_is_that_of_the_results(evidence):
    section = trust_sections.agreement(evidence)
    first, second = section["rows"]
    assert first == {"methods": "SHAP and LIME", "rank": 0.8, "sign": 0.95}
    assert second["methods"] == "SHAP and permutation importance"
    assert second["sign"] is None  # importances have no sign
    assert section["n_rows"] == len(evidence.lime.values)


def test_findings_are_in_the_order_of_their_severity(evidence):
    severities = [f["severity"] for f in trust_sections.checks(evidence)["fired"]]
    assert len(set(severities)) > 1
    assert severities == sorted(severities, key=["high", "medium", "low"].index)


def test_a_method_without_reruns_has_no_row(make_evidence):
    reruns = dict(make_evidence().reruns) | {"break-down": None}
    section = trust_sections.stability(make_evidence(reruns=reruns))
    assert [row["method"] for row in section["rows"]] == ["SHAP", "LIME"]
