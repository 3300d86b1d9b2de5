"""What `DNNClassifier` does between its parameters and its fitted attributes."""
