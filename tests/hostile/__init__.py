"""Files and calls of a stranger who means harm, all made by code, and the rules that the studio keeps against them."""
