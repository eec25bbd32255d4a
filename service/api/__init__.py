"""The API for machines, version 1, and the document that describes it."""
