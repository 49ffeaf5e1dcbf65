"""What a chain of belt conveyors is made of: coal, drive, protections, sequence, gauges.

A mine has six to ten belts. Six of them step three times as fast as plain floats than as arrays, so one object
is one belt here, and only the gauges, which see many steps at once, are arrays. Units: m, s, kg, N, kW.
"""
