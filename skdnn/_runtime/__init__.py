"""What every other package uses: Keras, seeds, progress, private names of others."""
