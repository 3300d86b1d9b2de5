from skdnn import DNNClassifier
from skdnn._runtime import caches, compat, keras_backend


def test_registered_caches_are_cleared_with_the_kernels(monkeypatch):
    keras_backend.load()
    cleared = []
    # private: registering a cache for good would outlive this test
    monkeypatch.setattr(caches, "_clears", [])
    monkeypatch.setattr(compat, "clear_kernel_cache", lambda: cleared.append("kernels"))
    caches.register_cache(lambda: cleared.append("first"))
    caches.register_cache(lambda: cleared.append("second"))
    caches.clear_caches()
    assert cleared == ["first", "second", "kernels"]


def test_predictions_are_the_same_after_caches_are_cleared(iris):
    X, y = iris
    net = DNNClassifier((8,), learning_rate_init=0.05, random_state=0)
    before = net.fit(X, y).predict_proba(X)
    caches.clear_caches()
    assert (net.predict_proba(X) == before).all()
    assert (net.fit(X, y).predict_proba(X) == before).all()
