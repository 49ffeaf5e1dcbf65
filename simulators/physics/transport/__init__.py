"""What a chain of belt conveyors is made of: coal, drive, grip, protections, sequence and scales, each over all
belts of a mine at once. Arrays are [belts] unless said otherwise; m, s, kg, N, kW."""
