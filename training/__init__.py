"""From labelled complaints to a promoted artifact; no web, no SQL."""
