"""What a person gets who installs the package: the wheel, tried away from the checkout."""
