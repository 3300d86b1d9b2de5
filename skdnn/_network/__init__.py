"""What a network is, and how it becomes a Keras model."""
