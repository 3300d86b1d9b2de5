"""scikeras's `KerasClassifier` with its faults fixed: the one package that uses scikeras."""
