"""Complaints come in: exports, tables and JSON Lines are read, their agencies mapped, and written as labelled complaints."""
