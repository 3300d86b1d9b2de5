"""Networks as data, their Keras models, and the forward pass in NumPy."""
