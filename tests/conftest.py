import os

import matplotlib
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.preprocessing import minmax_scale

matplotlib.use("Agg")
os.environ.setdefault("MPLBACKEND", "Agg")  # for child processes


@pytest.fixture(scope="session")
def iris():
    X, y = load_iris(return_X_y=True)
    return minmax_scale(X), y


@pytest.fixture(scope="session")
def iris_frame():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X, y.map(dict(enumerate(load_iris().target_names))).astype(object)


@pytest.fixture(scope="session")
def cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return minmax_scale(X), y


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
