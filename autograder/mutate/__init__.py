"""How good are the hidden checks? Break the solutions in many ways, and count what is noticed."""
