"""Parts that pages are made of; no part knows a tab."""
