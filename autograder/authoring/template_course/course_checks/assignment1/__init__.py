"""Hidden checks of assignment 1."""
