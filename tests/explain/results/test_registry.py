import pickle
import subprocess
import sys

import pytest

from skdnn import explain
from skdnn.explain._results.registry import dispatch, register


class Base:
    pass


class Derived(Base):
    pass


def test_the_nearest_base_decides():
    @register("name", Base)
    def of_base(result):
        return "base"

    assert dispatch("name", Derived()) is of_base

    @register("name", Derived, int)
    def of_derived(result):
        return "derived"

    assert dispatch("name", Derived()) is dispatch("name", 3) is of_derived
    assert dispatch("name", Base()) is of_base


def test_a_type_without_the_action():
    with pytest.raises(TypeError, match=r"'sing' must be registered.*Got Base"):
        dispatch("sing", Base())


def test_unpickling_is_light_and_complete(tmp_path):
    checks = explain.Checks((), "nothing")
    path = tmp_path / "checks.pkl"
    path.write_bytes(pickle.dumps(checks))
    code = f"""
import pickle, sys
with open({str(path)!r}, "rb") as file:
    checks = pickle.load(file)
assert len(checks.checks()) == 17
heavy = {{"matplotlib", "jinja2", "keras", "tensorflow", "shap", "lime"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
