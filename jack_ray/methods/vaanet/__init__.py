"""VAANet (Zhao et al., AAAI 2020): the emotion of a video from clips and sound, with attention."""
