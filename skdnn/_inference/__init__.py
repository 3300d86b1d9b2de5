"""How a trained network predicts."""
