"""The promise watched while it is kept: the blind audit of automatic routings, and the breakers that stop them."""
