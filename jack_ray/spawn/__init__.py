"""A trial on its slots -> ranks: the command, the guarded process tree, the diagnosis."""
