"""Create the images of the documentation: python docs/make_images.py."""

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

figure, axes = plt.subplots(3, 2, figsize=(13, 10.5), layout="constrained")
settings = {"background": X, "random_state": 0}
rows = X.iloc[[120, 70, 50]].reset_index(drop=True)
explain.break_down(pipe, rows[:1], **settings).plot(ax=axes[0, 0])
explain.ceteris_paribus(pipe, rows[:1], **settings).plot(
    "petal length (cm)", ax=axes[0, 1]
)
explain.accumulated_local_effects(pipe, X).plot("petal length (cm)", ax=axes[1, 0])
pair = ("petal length (cm)", "petal width (cm)")
explain.partial_dependence(pipe, X, features=[pair]).plot(
    target_class="virginica", ax=axes[1, 1]
)
explain.average_conditional_effects(pipe, X).plot(ax=axes[2, 0])
explain.counterfactuals(pipe, rows, background=X, n_alternatives=2).plot(ax=axes[2, 1])
figure.savefig(Path(__file__).parent / "images" / "explain.png", dpi=80)
