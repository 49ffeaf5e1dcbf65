#!/usr/bin/env bash
# Installs the gateways that ours is measured beside, below benchmarks/.peers. Needs python3, npm and mosquitto.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p .peers/node
python3 -m venv .peers/thingsboard
# It would install a pymodbus by itself at its first start.
.peers/thingsboard/bin/pip install -q thingsboard-gateway==3.8.5 pymodbus==3.9.2 pyserial pyserial-asyncio
# Node-RED 5 needs Node 22; later versions of the Modbus nodes depend on a package outside the npm registry.
npm install --prefix .peers/node --no-audit --no-fund --ignore-scripts node-red@4.1.15 node-red-contrib-modbus@5.23.3
