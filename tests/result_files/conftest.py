import pytest

from skdnn import DNNClassifier


@pytest.fixture(scope="session")
def network(passengers):
    X, y = passengers
    X = X.assign(fare=X["fare"] / 100, age=X["age"] / 100)
    network = DNNClassifier((8,), max_iter=50, n_iter_no_change=99, random_state=0)
    return network.fit(X, y)
