import numpy as np
import pandas as pd

from skdnn.explain import DeletionCurves


def test_chance_counts_random_orders_that_are_as_good():
    areas = np.array([0.2, 0.3, 0.3 + 1e-13, 0.6])
    curves = DeletionCurves(pd.DataFrame(), areas, 0.3, 5, "probability")
    assert curves.chance == 4 / 5
    assert DeletionCurves(pd.DataFrame(), areas, 0.1, 5, "").chance == 1 / 5
