"""Networks and what they see: loading, layers, features, receptive fields. It knows no dream."""
