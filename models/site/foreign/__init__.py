"""Point tables as others write them: any column headings, manuals' addresses, types and orders by many names.

`reading` turns such a table into rows of a point table, each mistake at its cell; `existing` knows what a site
binds already; `difference` says what would change; `table` writes tables that read back as the same.
"""
