"""How a version is told: the model card, the report and its plots."""
