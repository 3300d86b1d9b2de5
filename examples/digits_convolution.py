"""A small convolutional network on the 8x8 digits, explained by image patches.

Run it with ``python examples/digits_convolution.py``; it writes
``digits-explained.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdnn import KerasClassifier, explain

# Data: images of 8x8 pixels with one channel, and the digit.
X, y = load_digits(return_X_y=True)
X = (X / 16).astype("float32").reshape(-1, 8, 8, 1)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)


def build(meta, filters=16, dropout=0.3):
    """Return a network with two convolutional layers, pooling and softmax output."""
    # imported here, after skdnn has suppressed TensorFlow's log messages
    from keras import Input, Sequential, layers

    return Sequential(
        [
            Input(meta["X_shape_"][1:]),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Dropout(dropout),
            layers.Flatten(),
            layers.Dense(meta["n_classes_"], activation="softmax"),
        ]
    )


network = KerasClassifier(
    build,
    model__filters=32,
    loss="sparse_categorical_crossentropy",
    optimizer="adam",
    optimizer__learning_rate=0.003,
    batch_size=32,
    epochs=20,
    verbose=0,
    random_state=0,
)
network.fit(X_train, y_train)
print(f"held-out accuracy {network.score(X_test, y_test):.4f}")

# Explain: sixteen patches of 2x2 pixels are the players.
rows, columns = np.indices((8, 8)) // 2
patches = 4 * rows + columns
shap = explain.shap(
    network, X_test[:3], background=X_train, groups=patches, random_state=0
)
print(shap[0].frame().nlargest(3, "value")[["feature", "class", "value"]])

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
for sample, ax in enumerate(axes):
    shap.plot("image", sample=sample, ax=ax)
figure.savefig("digits-explained.png", dpi=90)
print("wrote digits-explained.png")
