"""A calendar gateway for booking platforms."""
