"""The ground floor: pure domain. No sockets, no clock, no asyncio.

Only models.site and models.dictionaries read files.
"""
