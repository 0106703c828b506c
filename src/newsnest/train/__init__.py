"""Ways to train an encoder that nests: losses, pairs and samplers for sentence-transformers.

Importing this package loads neither torch nor sentence-transformers nor datasets; `losses` and
`samplers` load torch. Training needs the extra `train`: pip install "newsnest[train]".
"""
