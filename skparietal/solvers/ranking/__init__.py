"""Frank-Wolfe for rankings that share exposure."""
