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

# Data: a frame of four measurements, and the name of the species.
iris = load_iris(as_frame=True)
X, y = iris.data, iris.target_names[iris.target]
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


def make_pipe(**parameters):
    """Return two hidden layers of 20 behind a MinMaxScaler."""
    settings = {
        "batch_size": 32,
        "learning_rate_init": 0.01,
        "max_iter": 60,
        "n_iter_no_change": np.inf,  # as many epochs as max_iter says
        "random_state": 0,
    }
    return make_pipeline(
        MinMaxScaler(), DNNClassifier((20, 20), **settings | parameters)
    )


# With and without dropout, a fifth of the training rows set aside to validate on.
for dropout in (0.0, 0.2):
    pipe = make_pipe(dropout=dropout, validation_fraction=0.2).fit(X_train, y_train)
    last = pipe[-1].history_.iloc[-1]
    print(f"dropout {dropout}: validation loss {last['val_loss']:.3f}")

# A grid search inside an outer cross-validation: the outer folds judge the whole
# procedure, choosing included.
grid = {
    "dnnclassifier__dropout": [0.0, 0.2],
    "dnnclassifier__alpha": [1e-4, 1e-2],
}
inner = StratifiedKFold(3, shuffle=True, random_state=0)
outer = StratifiedKFold(4, shuffle=True, random_state=0)
search = GridSearchCV(make_pipe(), grid, cv=inner)
scores = cross_val_score(search, X, y, cv=outer)
print(f"nested accuracy {scores.mean():.3f} ± {scores.std(ddof=1):.3f}")

# The network, trained with the parameters chosen on the training rows.
chosen = search.fit(X_train, y_train).best_params_
chosen = {name.split("__")[1]: value for name, value in chosen.items()}
pipe = make_pipe(validation_fraction=0.2, **chosen).fit(X_train, y_train)
print(pipe[-1].summary())
print(f"test accuracy {pipe.score(X_test, y_test):.3f}")

# Why: what each measurement adds to the probability of each species.
shap = explain.shap(pipe, X_test, background=X_train, random_state=0)
print(shap[0].frame().pivot(index="feature", columns="class", values="value").round(3))

report = explain.report(pipe, X_test, y_test, background=X_train, title="Iris")
report.write_html("iris-report.html")
print("wrote iris-report.html")
