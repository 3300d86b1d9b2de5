"""Iris from data to report: train, compare, tune, explain.

Run it with ``python examples/iris.py``; it writes ``iris-report.html``.
"""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdnn import DNNClassifier, explain

# Data: four measurements, and the name of the species.
iris = load_iris(as_frame=True)
X, y = iris.data, iris.target_names[iris.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


def make_pipe(**parameters):
    """Return a MinMaxScaler and a network with two hidden layers of 20 units."""
    settings = {
        "batch_size": 32,
        "learning_rate_init": 0.01,
        "max_iter": 60,
        "n_iter_no_change": np.inf,  # train for max_iter epochs
        "random_state": 0,
    }
    return make_pipeline(
        MinMaxScaler(), DNNClassifier((20, 20), **settings | parameters)
    )


# Compare dropout rates on 20% of the training rows, held out for validation.
for dropout in (0.0, 0.2):
    pipe = make_pipe(dropout=dropout, validation_fraction=0.2).fit(X_train, y_train)
    last = pipe[-1].history_.iloc[-1]
    print(f"dropout {dropout}: validation loss {last['val_loss']:.3f}")

# A grid search within an outer cross-validation, which estimates the score of the
# whole procedure including the selection of parameters.
grid = {
    "dnnclassifier__dropout": [0.0, 0.2],
    "dnnclassifier__alpha": [1e-4, 1e-2],
}
inner = StratifiedKFold(3, shuffle=True, random_state=0)
outer = StratifiedKFold(4, shuffle=True, random_state=0)
search = GridSearchCV(make_pipe(), grid, cv=inner)
scores = cross_val_score(search, X, y, cv=outer)
print(f"nested accuracy {scores.mean():.3f} ± {scores.std(ddof=1):.3f}")

# The network with the parameters selected on the training rows.
selected = search.fit(X_train, y_train).best_params_
selected = {name.split("__")[1]: value for name, value in selected.items()}
pipe = make_pipe(validation_fraction=0.2, **selected).fit(X_train, y_train)
print(pipe[-1].summary())
print(f"test accuracy {pipe.score(X_test, y_test):.3f}")

# Explain: the contribution of each measurement to the probability of each species.
shap = explain.shap(pipe, X_test, background=X_train, random_state=0)
print(shap[0].frame().pivot(index="feature", columns="class", values="value").round(3))

report = explain.report(
    pipe, X_test, y_test, background=X_train, y_background=y_train, title="Iris"
)
report.write_html("iris-report.html")
print("wrote iris-report.html")
