"""The affective-computing methods: one folder each, its name is its registration."""
