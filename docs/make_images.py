"""Make the picture of the README: python docs/make_images.py."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier, explain

iris = load_iris(as_frame=True)
X, y = iris.data, iris.target_names[iris.target]
network = DNNClassifier(
    (20, 20),
    dropout=0.2,
    batch_size=32,
    learning_rate_init=0.005,
    max_iter=120,
    n_iter_no_change=np.inf,
    validation_fraction=0.2,
    random_state=0,
)
pipe = make_pipeline(MinMaxScaler(), network).fit(X, y)
shap = explain.shap(pipe, X, background=X, random_state=0)

figure, axes = plt.subplots(2, 2, figsize=(12, 7.2), layout="constrained")
pipe[-1].plot_network(axes[0, 0], feature_names=X.columns)
pipe[-1].plot_history(axes[0, 1])
shap.plot("beeswarm", target_class="virginica", ax=axes[1, 0])
shap.plot("waterfall", sample=120, target_class="virginica", ax=axes[1, 1])
figure.savefig(Path(__file__).parent / "images" / "iris.png", dpi=80)
