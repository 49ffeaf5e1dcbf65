"""Linkage at the edge (联动): what a site's rules say, carried out by the gateway that reads and writes the points,
with the platform and the network gone. It supplements the mine's hard-wired protection and never replaces it."""
