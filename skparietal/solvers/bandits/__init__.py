"""Best average rewards when everything is known."""
