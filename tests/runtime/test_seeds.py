import numpy as np
import pytest

from skdnn._runtime.seeds import as_seed, global_numpy_seed


@pytest.mark.parametrize("seed", [0, 7, np.int64(2**40)])
def test_an_integer_is_its_own_seed(seed):
    assert as_seed(seed) == seed
    assert type(as_seed(seed)) is int


def test_generators_draw_the_seed():
    state = np.random.RandomState(3)
    seeds = [as_seed(state), as_seed(state)]
    assert seeds[0] != seeds[1]
    assert seeds[0] == as_seed(np.random.RandomState(3))
    with global_numpy_seed(3):
        assert as_seed(None) == seeds[0]


def test_the_global_generator_is_seeded_and_restored():
    before = np.random.get_state()
    with global_numpy_seed(5):
        drawn = np.random.random(3)
    np.testing.assert_array_equal(drawn, np.random.RandomState(5).random(3))
    with pytest.raises(KeyError), global_numpy_seed(5):
        raise KeyError
    after = np.random.get_state()
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]
