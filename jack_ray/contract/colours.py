"""Colours that are told apart with every kind of colour vision, for pictures, pages and the terminal.

Okabe and Ito, Color Universal Design (2008), without their yellow, which cannot be seen on white.
"""

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#8C8C8C"

SERIES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
"""In the order in which lines of a plot take them."""
