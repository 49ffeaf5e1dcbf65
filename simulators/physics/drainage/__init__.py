"""Main drainage: pumps that must be primed, one rising main, a sump, and who decides."""
