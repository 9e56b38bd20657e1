"""How the embedded pair of networks was trained and shipped. Nothing in the package imports it."""
