"""What a recipe runs on: base, trainer, checkpoints, and the place where all of it is kept."""
