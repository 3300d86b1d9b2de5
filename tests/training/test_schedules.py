"""Rates, decay and smoothing by the progress of training."""

import numpy as np
import pytest

from skdnn._training.schedules import Schedule, coslog4, flat_cos


def test_four_cycles_begin_and_end_at_zero():
    np.testing.assert_allclose(coslog4(np.array([0, 1 / 15, 3 / 15, 7 / 15, 1])), 0)
    tops = (2.0 ** (np.arange(4) + 0.5) - 1) / 15
    np.testing.assert_allclose(coslog4(tops), 1)


def test_flat_then_down():
    np.testing.assert_allclose(flat_cos(np.array([0, 0.49, 0.75, 1])), [1, 1, 0.5, 0])


def test_numbers_of_steps_do_not_depend_on_where_a_block_begins():
    schedule = Schedule(0.02, 40, 0.1, 0.2, 1e-3, 0.0, 0.3)
    whole = schedule.numbers(0, 40)
    np.testing.assert_array_equal(schedule.numbers(13, 9), whole[13:22])
    rate, l2, l1, decay, smoothing, linear_factor = whole.T
    np.testing.assert_allclose(rate / 0.02, smoothing / 0.2)
    assert rate.max() == pytest.approx(0.02, rel=0.05)
    assert (set(l2), set(l1), set(linear_factor)) == ({1e-3}, {0.0}, {0.3})
    assert decay[:19].tolist() == [0.1] * 19
    assert rate[-1] == pytest.approx(0, abs=1e-12)


def test_a_constant_rate_is_constant():
    schedule = Schedule(0.02, 40, 0.1, 0.2, 0.0, 0.0, 0.3, cycles=False)
    assert set(schedule.numbers(0, 40)[:, 0]) == {0.02}
