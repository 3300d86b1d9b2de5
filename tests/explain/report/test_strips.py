import pytest

from skdnn.explain._report import strips


def test_scale_leaves_room_for_marks_at_the_ends():
    at = strips.scale(-2.0, 2.0)
    assert [at(-2.0), at(0.0), at(2.0)] == [1.0, 50.0, 99.0]
    assert strips.scale(3.0, 3.0)(3.0) == 1.0


def test_bars_start_at_zero_and_have_signs():
    features = [{"feature": "a", "shap": 0.4}, {"feature": "b", "shap": -0.2}]
    first, second, others = strips.attribution_strips(features, "shap", more=0.1)
    (a,), (b,) = first["bars"], second["bars"]
    assert first["zero"] == second["zero"] == 50
    assert (a["x"], a["w"], a["css"]) == (50, 49, "plus")
    assert (b["x"] + b["w"], b["w"], b["css"]) == (50, 24.5, "minus")
    assert others["label"] == "all other columns: +0.100"
    pale = strips.attribution_strips(features, "shap", pale=True)
    assert [strip["bars"][0]["css"] for strip in pale] == ["rest", "rest"]
    unknown = strips.attribution_strips([{"feature": "a", "shap": None}], "shap")
    assert unknown[0]["bars"] == []


def test_steps_are_drawn_from_start_to_end():
    steps = [
        {"feature": "a", "value": 0.5, "start": 0.0, "end": 0.5},
        {"feature": "b", "value": -0.25, "start": 0.5, "end": 0.25},
    ]
    (up,), (down,) = (strip["bars"] for strip in strips.step_strips(steps))
    assert (up["x"], up["w"], up["css"]) == (1, 98, "plus")
    assert (down["x"], down["w"], down["css"]) == (50, 49, "minus")


def test_whiskers_of_importances():
    part = {"value": 0.5, "low": 0.25, "high": 0.75}
    first, second = strips.importance_strips(
        [{"feature": "a"} | part, {"feature": "b"} | part | {"low": None}]
    )
    assert first["whisker"] == [pytest.approx(1 + 98 / 3, abs=0.01), 99]
    assert second["whisker"] is None


def test_dots_that_would_touch_are_stacked():
    rows = [
        {"feature": "a", "values": [0.1, 0.1, 0.1, None], "levels": [0, 4, None, 1]}
    ]
    drawn = strips.swarm({"rows": rows})
    dots = drawn["rows"][0]["dots"]
    assert [dot["y"] for dot in dots] == [14, 17, 11]
    assert [dot["css"] for dot in dots] == ["v0", "v4", "v-none"]
    assert (drawn["low"], drawn["high"]) == (0.0, 0.1)


def test_histograms_leave_out_empty_bins():
    strip = strips.histogram_strip({"name": "a", "histogram": [1, 0, 4, 2]})
    assert [bar["h"] for bar in strip["bars"]] == [5, 20, 10]
    assert [bar["x"] for bar in strip["bars"]] == [0, 50, 75]
    assert all(bar["y"] + bar["h"] == 20 for bar in strip["bars"])
    assert strips.histogram_strip({"name": "a", "histogram": []}) is None
    assert strips.histogram_strip({"name": "text"}) is None


def test_a_difference_is_right_of_zero_where_the_model_is_better():
    def rival(value, low, high):
        return {
            "name": "r",
            "differences": {"x": {"value": value, "low": low, "high": high}},
        }

    rivals = [rival(0.1, -0.1, 0.2), rival(None, None, None)]
    up, unknown = strips.difference_strips(rivals, "x", 1)
    down, _ = strips.difference_strips(rivals, "x", -1)
    assert up["zero"] == down["zero"] == 50
    assert up["marks"] == [{"x": 74.5, "whisker": [25.5, 99], "css": "m0"}]
    assert down["marks"] == [{"x": 25.5, "whisker": [1, 74.5], "css": "m0"}]
    assert unknown["marks"] == []
