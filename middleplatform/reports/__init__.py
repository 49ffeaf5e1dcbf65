"""Reports drawn, kept by their codes, verified and made by schedule. What they say: models/report."""
