"""Networks that more than one method uses; what only one method needs lies beside it."""
