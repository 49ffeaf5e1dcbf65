"""Bringing a device in: look at it before it is part of a site.

`target` names a device (a site's connection, or a URL), `look` reads one place of it, `interpret` and
`learn` say what the bytes can mean, `probe` finds out what answers there, `walk` lists what it has,
`capacity` tells how much a site asks of its devices. Nothing here writes to a device.
"""
