"""What the platform knows about its data: versions of the site, the catalogue of points, dictionaries, the
standard and how far it is followed, where a value comes from, and what people entered or corrected by hand."""
