"""What `--data` names, read for training: graded pairs, articles, columns of texts."""
