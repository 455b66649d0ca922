"""SERVE, people: the admin's first page: what the business earns, who stays and who leaves."""
