"""The ground floor: pure domain. No sockets, no clock, no asyncio; only models.site and models.dictionaries read files."""
