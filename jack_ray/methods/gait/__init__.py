"""BPM-GCN (Zhai et al., IEEE Transactions on Affective Computing 2024): the emotion of a walking person."""
