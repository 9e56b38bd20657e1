"""Checks of what is given: wrong names, numbers out of range, data that a stranger wrote."""
