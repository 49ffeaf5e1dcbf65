"""What reports say, apart from how they look: tables of typed cells, definitions, sources. See docs/reports.md."""
