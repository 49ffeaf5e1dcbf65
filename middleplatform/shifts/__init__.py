"""The shift log of the control room, and how one shift hands over to the next."""
