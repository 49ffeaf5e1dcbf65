"""A site: a folder of plain files, loaded whole or refused with every mistake named."""
