"""Counts with their intervals, over all and by slice, and the tables that tell them."""
