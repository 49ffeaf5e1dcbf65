"""The engineer's workshop: devices asked through gateways, points brought into the site's folder, rules tried."""
