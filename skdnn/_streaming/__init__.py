"""Tables larger than memory: read block by block, sampled, and shuffled on disk."""
