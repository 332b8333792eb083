"""Shapes of what people enter: the steps of the registration wizard and the small forms around it."""
