"""What `--data` names, read for training: pairs, gold labels, articles, columns, translations."""
