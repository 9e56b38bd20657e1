"""Checks of what is given: the answer to a wrong name; data that a stranger wrote, field by field."""
