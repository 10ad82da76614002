"""A registered model behind HTTP: uploads come in at the door, replicas placed by Ray Serve answer."""
