"""CTEN (Zhang et al., CVPR 2023): the emotion of a video from clips and sound, learnt also without its key segments."""
