"""What all other packages use: the late import of Keras, progress, private names."""
