"""A model is made: words weighed, scores fitted, probabilities calibrated, the aspects beside them."""
