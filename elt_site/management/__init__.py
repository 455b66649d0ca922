"""Django commands of the site."""
