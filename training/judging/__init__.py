"""What a model is worth, alone and beside another, and whether it may take the other's place."""
