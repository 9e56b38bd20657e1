"""Networks and what they see: loading, layers, features, receptive fields; no gradient ascent."""
