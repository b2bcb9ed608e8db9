"""What is remembered: the session of all visitors, which is read only, and what each visitor made."""
