"""Ways to train an encoder that nests.

`recipes` has a folder for each. They are built from `losses`, `samplers` and `pairs` (graded
pairs), which stand alone with sentence-transformers, from `data` (what `--data` names) and from
`run` (base, trainer, checkpoints, place).

Importing this package loads neither torch nor sentence-transformers nor datasets; `losses` and
`samplers` load torch. Training needs the extra `train`: pip install "newsnest[train]".
"""
