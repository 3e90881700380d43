"""Tools of the project itself: none is needed to run it."""
