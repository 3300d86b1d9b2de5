"""Create the images of the documentation: python docs/make_images.py.

Those of the gallery are drawn twice, for light and dark pages.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier, KerasClassifier, explain

FOLDER = Path(__file__).parent / "images"
STYLES = {"": "default", "-dark": "dark_background"}
DARK_PAGE = "#1e2129"  # of the dark theme of the site
DPI, COLOURS = 80, 128


def save(figure: Any, path: Path) -> None:
    """Write a figure as a PNG of few colours, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight")
    plt.close(figure)
    image = Image.open(buffer).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def in_both_themes(name: str, draw: Callable[[], Any]) -> None:
    """Draw one image of the gallery for light and dark pages."""
    for suffix, style in STYLES.items():
        with plt.style.context(style):
            if suffix:
                for part in ("figure", "axes", "savefig"):
                    plt.rcParams[f"{part}.facecolor"] = DARK_PAGE
            axes = np.ravel(draw())
            save(axes[0].figure, FOLDER / "gallery" / f"{name}{suffix}.png")


def iris_network() -> Any:
    """Return a pipeline with a network for iris, the columns and the classes."""
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
    return make_pipeline(MinMaxScaler(), network).fit(X, y), X, y


def draw_overviews(pipe: Any, X: pd.DataFrame) -> None:
    """Draw the two images with several plots each."""
    settings = {"background": X, "random_state": 0}
    shap = explain.shap(pipe, X, **settings)
    figure, axes = plt.subplots(2, 2, figsize=(12, 7.2), layout="constrained")
    pipe[-1].plot_network(axes[0, 0], feature_names=X.columns)
    pipe[-1].plot_history(axes[0, 1])
    shap.plot("beeswarm", target_class="virginica", ax=axes[1, 0])
    shap.plot("waterfall", sample=120, target_class="virginica", ax=axes[1, 1])
    save(figure, FOLDER / "iris.png")

    figure, axes = plt.subplots(3, 2, figsize=(13, 10.5), layout="constrained")
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
    explain.counterfactuals(pipe, rows, background=X, n_alternatives=2).plot(
        ax=axes[2, 1]
    )
    save(figure, FOLDER / "explain.png")


def draw_attributions(pipe: Any, X: pd.DataFrame) -> None:
    """Draw the plots of SHAP, LIME and break-down."""
    settings = {"background": X, "random_state": 0}
    shap = explain.shap(pipe, X, **settings)
    virginica = {"target_class": "virginica"}
    in_both_themes("shap-bar", shap.plot)
    in_both_themes("shap-row", lambda: shap.plot(sample=120))
    in_both_themes("shap-beeswarm", lambda: shap.plot("beeswarm", **virginica))
    in_both_themes("shap-waterfall", lambda: shap.plot("waterfall", sample=120))
    row = X.iloc[[120]]
    lime = explain.lime(pipe, row, output="log_odds", **settings)
    in_both_themes("lime", lambda: lime.plot(sample=0))
    in_both_themes("break-down", explain.break_down(pipe, row, **settings).plot)


def draw_curves(pipe: Any, X: pd.DataFrame) -> None:
    """Draw profiles and effects."""
    petal = "petal width (cm)"
    profile = explain.ceteris_paribus(pipe, X.iloc[[120]], background=X)
    in_both_themes("ceteris-paribus", lambda: profile.plot(petal))
    partial = explain.partial_dependence(pipe, X)
    in_both_themes("partial-dependence", partial.plot)
    ice = explain.partial_dependence(pipe, X[::5], features=[petal], ice=True)
    in_both_themes("ice", lambda: ice.plot(petal, target_class="virginica"))
    pair = explain.partial_dependence(pipe, X, features=[("petal length (cm)", petal)])
    in_both_themes("pair", lambda: pair.plot(target_class="virginica"))
    local = explain.accumulated_local_effects(pipe, X)
    in_both_themes("accumulated-local-effects", lambda: local.plot(petal))
    effects = explain.average_conditional_effects(pipe, X)
    in_both_themes("average-conditional-effects", effects.plot)


def draw_tables(pipe: Any, X: pd.DataFrame, y: np.ndarray) -> None:
    """Draw importance, the summary of an ensemble, and counterfactuals."""
    importance = explain.permutation_importance(pipe, X, y, random_state=0)
    in_both_themes("permutation-importance", importance.plot)
    rows = X.iloc[[120, 70, 50]].reset_index(drop=True)
    changed = explain.counterfactuals(pipe, rows, background=X, n_alternatives=2)
    in_both_themes("counterfactuals", changed.plot)
    ensemble = DNNClassifier(
        (8,),
        n_estimators=10,
        bootstrap=True,
        learning_rate_init=0.05,
        max_iter=40,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    bagged = make_pipeline(MinMaxScaler(), ensemble).fit(X[::2], y[::2])
    summary = explain.summary(bagged, X[1::2], y[1::2], random_state=0)
    in_both_themes("summary", summary.plot)


def draw_measures() -> None:
    """Draw performance and novelty, of tumours."""
    data = load_breast_cancer(as_frame=True)
    X = data.data[["mean radius", "mean texture", "mean smoothness"]]
    y = data.target_names[data.target]
    network = DNNClassifier(random_state=0).fit(X[::2], y[::2])
    performance = explain.performance(
        network,
        X[1::2],
        y[1::2],
        costs={("malignant", "benign"): 10, ("benign", "malignant"): 1},
        by="mean texture",
        random_state=0,
    )
    in_both_themes("performance", performance.plot)
    unlike = X[1::2].copy()
    unlike.iloc[7, 2] = 0.9
    novelty = explain.novelty(network, unlike, background=X[::2], random_state=0)
    in_both_themes("novelty", novelty.plot)
    in_both_themes("novelty-row", lambda: novelty.plot(sample=7))


def draw_image() -> None:
    """Draw the SHAP values of patches of a digit."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype("float32").reshape(-1, 8, 8, 1)

    def build(meta):
        from keras import Input, Sequential, layers

        return Sequential(
            [
                Input(meta["X_shape_"][1:]),
                layers.Conv2D(16, 3, activation="relu"),
                layers.Flatten(),
                layers.Dense(meta["n_classes_"], activation="softmax"),
            ]
        )

    network = KerasClassifier(
        build,
        loss="sparse_categorical_crossentropy",
        epochs=20,
        verbose=0,
        random_state=0,
    ).fit(X[:1500], y[:1500])
    rows, columns = np.indices((8, 8)) // 2
    at = [int(np.flatnonzero(y[1500:] == 3)[0]) + 1500]
    shap = explain.shap(
        network,
        X[at],
        background=X[:1500],
        groups=4 * rows + columns,
        random_state=0,
    )
    in_both_themes("shap-image", lambda: shap.plot("image"))


if __name__ == "__main__":
    (FOLDER / "gallery").mkdir(exist_ok=True)
    pipe, X, y = iris_network()
    draw_overviews(pipe, X)
    in_both_themes(
        "network-layers", lambda: pipe[-1].plot_network(feature_names=X.columns)
    )
    in_both_themes("network-history", pipe[-1].plot_history)
    draw_attributions(pipe, X)
    draw_curves(pipe, X)
    draw_tables(pipe, X, y)
    draw_measures()
    draw_image()
