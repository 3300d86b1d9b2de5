"""scikeras's `KerasClassifier` with its faults fixed; only here is scikeras used."""
