"""scikeras's `KerasClassifier`, mended: the one room that knows scikeras.

Nothing is imported with the package. ``_classifier`` holds the class; the files that it
stands on train and predict with any `keras.Model`.
"""
