"""One file a table that was computed once: banks, components, channels and boundaries; each opens with its command and minutes."""
