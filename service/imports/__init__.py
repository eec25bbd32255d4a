"""Exports of LAPOR! come in and go back: uploaded, their names mapped, routed by jobs, handed back as a file."""
