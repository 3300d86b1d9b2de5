import numpy as np
import pytest
from networks import ENCODINGS, encoding_network, plain_network

from skdnn._network.keras_models import build_network, network_variables
from skdnn._network.spec import Array, Hidden, InputEncoding, NetworkSpec

SPECS = [
    plain_network()[0],
    plain_network(batch_norm=True)[0],
    *(encoding_network(encoding)[0] for encoding in ENCODINGS.values()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.encoding))
def test_arrays_are_the_variables_of_the_keras_model(spec):
    variables = network_variables(build_network(spec), spec)
    assert [(v.name, tuple(v.shape), v.trainable) for v in variables] == [
        (a.role, a.shape, a.trainable) for a in spec.arrays
    ]


def test_columns_and_arrays_of_an_encoding():
    encoding = InputEncoding(n_numeric=2, n_flags=1, code_sizes=(9, 4), bins=3, units=5)
    assert (encoding.n_dense, encoding.n_piecewise_linear) == (3, 10)
    assert encoding.n_outputs == 2 + 10 + 1 + 2 * 5
    assert encoding.arrays == [
        Array("piecewise_linear", (2, 3, 5)),
        Array("embedding_0", (8, 5)),
        Array("embedding_1", (3, 5)),
        Array("scale", (23,)),
        Array("bin_start", (2, 3), trainable=False),
        Array("bin_width", (2, 3), trainable=False),
    ]
    assert encoding.arrays[0].size == 30


def test_what_a_spec_is():
    plain = NetworkSpec(4, (Hidden(7, "relu"),), 3, "softmax", "float32")
    assert plain.is_plain
    assert plain.widths == (4, 7, 3)
    assert not plain.is_multilabel
    assert NetworkSpec(4, (), 3, "logistic", "float32").is_multilabel
    assert not NetworkSpec(4, (), 1, "logistic", "float32").is_multilabel
    assert not plain_network(batch_norm=True)[0].is_plain
    assert not encoding_network(ENCODINGS["flags"])[0].is_plain


def test_weights_of_members():
    spec, weights, _ = encoding_network(ENCODINGS["all"], members=3)
    members = spec.member_weights(weights)
    assert len(members) == 3
    for i, member in enumerate(members):
        for array, stacked in zip(member, weights, strict=True):
            np.testing.assert_array_equal(array, stacked[i])
    spec, weights, _ = encoding_network(ENCODINGS["all"], members=1)
    assert spec.member_weights(weights) == [weights]


def test_networks_that_differ_in_rates_share_a_program():
    def spec(dropout, inverse_temperature=1.0):
        hidden = (Hidden(7, "relu", dropout), Hidden(5, "relu"))
        return NetworkSpec(
            4, hidden, 3, "softmax", "float32", inverse_temperature=inverse_temperature
        )

    assert spec(0.1).without_rates() == spec(0.7, 2.0).without_rates()
    assert spec(0.0).without_rates() != spec(0.1).without_rates()
