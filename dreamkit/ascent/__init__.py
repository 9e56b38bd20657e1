"""Gradient ascent on a picture: the verbs, the loop, Fourier pictures, films.

It knows no network, only a score.
"""
