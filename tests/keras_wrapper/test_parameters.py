"""Parameters reach what they are for: the network, Keras's fit and predict."""

from functools import partial

import keras
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdnn import KerasClassifier

layers = keras.layers


def softmax(units, meta, *, activation="relu"):
    return keras.Sequential(
        [
            keras.Input((meta["n_features_in_"],)),
            layers.Dense(units, activation=activation),
            layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


def units_of(net):
    return net.model_.layers[0].units


def test_routed_and_plain_parameters_reach_the_builder(network, iris):
    assert units_of(network(model=softmax, model__units=5).fit(*iris)) == 5
    assert units_of(network(model=softmax, units=6).fit(*iris)) == 6
    # the routed one wins
    assert units_of(network(model=softmax, units=6, model__units=7).fit(*iris)) == 7
    assert units_of(network(model=partial(softmax, units=8)).fit(*iris)) == 8
    assert network(units=6).get_params()["units"] == 6


def test_arguments_of_a_builder(network, iris):
    thing, received = object(), {}

    def build(thing, meta, compile_kwargs, params):
        received.update(thing=thing, meta=meta, compile=compile_kwargs, params=params)
        return softmax(4, meta)

    net = network(model=build, model__thing=thing).fit(*iris)
    assert received["thing"] is thing
    assert received["params"].keys() == net.get_params().keys()
    # private: scikeras's own list of the names that go to compile
    assert set(received["compile"]) <= net._compile_kwargs
    assert set(received["meta"]) == {
        "X_dtype_", "X_shape_", "classes_", "feature_encoder_", "n_classes_",
        "n_features_in_", "n_outputs_", "n_outputs_expected_", "target_encoder_",
        "target_type_", "y_dtype_", "y_ndim_",
    }  # fmt: skip


def test_a_builder_that_takes_anything_gets_all(network, iris):
    names = []

    def build(**given):
        names.extend(given)
        return softmax(given["units"], given["meta"])

    network(model=build, model__units=3).fit(*iris)
    assert names == ["units", "meta", "compile_kwargs", "params"]


def test_a_subclass_with_its_own_builder_and_parameters(iris):
    class MLP(KerasClassifier):
        def __init__(self, units=4, loss="sparse_categorical_crossentropy", **kwargs):
            super().__init__(loss=loss, **kwargs)
            self.units = units

        def _keras_build_fn(self, meta, compile_kwargs):
            network = softmax(self.units, meta)
            network.compile(**compile_kwargs)
            return network

    net = MLP(units=9, verbose=0, epochs=2, optimizer="adam")
    assert units_of(net.fit(*iris)) == 9
    assert units_of(net.set_params(units=3).fit(*iris)) == 3
    assert net.get_params()["units"] == 3


def test_set_params(network, iris):
    net = network(model=softmax, units=2)
    net.set_params(
        optimizer__learning_rate=0.5, units=3, callbacks__0__monitor="loss",
        callbacks=[keras.callbacks.EarlyStopping], score__normalize=False,
    )  # fmt: skip
    net.fit(*iris)
    assert units_of(net) == 3
    assert net.model_.optimizer.get_config()["learning_rate"] == pytest.approx(0.5)
    assert net.score(*iris) > 1  # a count of rows, not a share
    with pytest.raises(ValueError, match=r"Invalid parameter width[\s\S]*constructor"):
        net.set_params(width=3)


@pytest.mark.parametrize(
    ("typo", "hint"),
    [
        ({"epochz": 3}, "'epochz'. Did you mean 'epochs'"),
        ({"model__widht": 3}, "unexpected keyword argument 'widht'"),
        ({"optimzer__learning_rate": 1}, "'optimzer__learning_rate'.*'optimizer'"),
        ({"fit__epoch": 3}, "fit got .*'epoch'. Did you mean '.*epochs?"),
        ({"predict__batchsize": 3}, "predict got .*'batchsize'.*'batch_size'"),
        ({"optimizer__learning_rat": 1}, "learning_rat"),
    ],
)
def test_typing_errors_are_refused(typo, hint, network, iris):
    with pytest.raises((TypeError, ValueError), match=hint):
        network(model=softmax, units=3, **typo).fit(*iris).predict(iris[0])


def test_a_prefix_of_a_builder_that_takes_anything_is_refused(network, iris):
    def build(meta, **anything):
        return softmax(3, meta)

    with pytest.raises(TypeError, match="must be one of those it passes parameters to"):
        network(model=build, modle__units=3).fit(*iris)


def test_arguments_of_one_call_override_parameters(network, iris):
    X, y = iris
    net = network(batch_size=50, fit__batch_size=10, epochs=2, fit__epochs=3)
    assert len(net.fit(X, y).history_["loss"]) == 3
    assert net.model_.optimizer.iterations == 3 * 15
    net.fit(X, y, epochs=1, batch_size=150)
    assert net.model_.optimizer.iterations == 1
    assert net.get_params()["batch_size"] == 50
    with pytest.raises(TypeError, match=r"fit got .*'epoch_s'"):
        net.fit(X, y, epoch_s=1)


def test_minus_one_is_all_rows(network, iris):
    X, y = iris
    net = network(batch_size=-1, validation_batch_size=-1, predict__batch_size=-1)
    net.fit(X, y)
    assert net.model_.optimizer.iterations == 3
    assert net.predict(X).shape == (150,)


def test_predict_arguments(network, iris):
    X, y = iris
    net = network(predict__batch_size=7).fit(X, y)
    np.testing.assert_allclose(
        net.predict_proba(X, batch_size=150), net.predict_proba(X), rtol=1e-5
    )
    assert net.predict(X, steps=2, batch_size=10).shape == (20,)
    with pytest.raises(TypeError, match=r"predict got .*'batch_siz'"):
        net.predict(X, batch_siz=3)


def test_balanced_classes_weigh_the_same(network, iris):
    X, y = iris
    rare = np.r_[0:50, 50:55, 100:105]
    plain = network(epochs=10).fit(X[rare], y[rare])
    balanced = network(epochs=10, class_weight="balanced").fit(X[rare], y[rare])
    assert (
        balanced.predict_proba(X)[:, 1:].mean() > plain.predict_proba(X)[:, 1:].mean()
    )
    as_weights = np.where(y[rare] == 0, 60 / 150, 60 / 15)
    same = network(epochs=10).fit(X[rare], y[rare], sample_weight=as_weights)
    np.testing.assert_allclose(
        balanced.predict_proba(X), same.predict_proba(X), rtol=1e-5
    )


def test_rows_without_weight_are_left_out(network, iris):
    X, y = iris
    weight = (np.arange(150) % 3 > 0).astype(float)
    part = weight > 0
    a = network().fit(X, y, sample_weight=weight)
    b = network().fit(X[part], y[part], sample_weight=weight[part])
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-5)
    with pytest.raises(ValueError, match="only zeros were passed in sample_weight"):
        network().fit(X, y, sample_weight=np.zeros(150))


def test_equal_weights_are_none(network, iris):
    X, y = iris
    a = network(optimizer="sgd").fit(X, y, sample_weight=np.ones(150))
    b = network(optimizer="sgd").fit(X, y)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), rtol=1e-5)


def test_partial_fit_continues(network, iris):
    X, y = iris
    net = network()
    for epoch in range(3):
        net.partial_fit(X, y, classes=[0, 1, 2])
        assert len(net.history_["loss"]) == epoch + 1
    whole = network(epochs=3).fit(X, y)
    np.testing.assert_allclose(net.predict_proba(X), whole.predict_proba(X), rtol=1e-5)
    model = net.model_
    net.partial_fit(X[:50], y[:50])  # one class of three
    assert net.model_ is model
    assert net.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"`classes` must be those of the first call"):
        net.partial_fit(X, y, classes=[0, 1, 2, 3])
    with pytest.raises(TypeError, match="Invalid argument `epochs`"):
        net.partial_fit(X, y, epochs=3)
    with pytest.raises(TypeError, match="Invalid argument `initial_epoch`"):
        net.partial_fit(X, y, initial_epoch=3)


def test_verbose_is_keras_s_own(network, iris, capsys):
    network().fit(*iris)
    assert capsys.readouterr().out == ""
    network(verbose=2).fit(*iris)
    assert capsys.readouterr().out.count("loss") == 3
    network(verbose=1, metrics=["accuracy"]).fit(*iris).predict(iris[0])
    shown = capsys.readouterr().out
    assert "Epoch 3/3" in shown
    assert "accuracy" in shown


def test_in_a_pipeline(network, iris):
    X, y = iris
    pipe = make_pipeline(StandardScaler(), network(epochs=20))
    pipe.set_params(kerasclassifier__model__units=4)
    assert pipe.fit(X, y).score(X, y) > 0.8
    weight = np.ones(150)
    pipe.fit(X, y, kerasclassifier__sample_weight=weight)
