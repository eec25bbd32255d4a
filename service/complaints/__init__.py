"""What becomes of a complaint: taken in, held back, waiting, decided, exported as a label, emptied at last."""
