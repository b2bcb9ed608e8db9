"""What stands between the network and the page: who a visitor is, the lines that events wait in, files and their bounds, the login."""
