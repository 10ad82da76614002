"""TSL-Net (Zhang et al., ACM MM 2022): temporal sentiment localisation from single labelled frames."""
