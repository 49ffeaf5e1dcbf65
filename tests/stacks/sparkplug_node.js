// An edge node with one device on the Sparkplug stack of Eclipse Tahu's authors.
//
// node sparkplug_node.js PORT USER PASSWORD
//
// Says {"ready": true} once its births are out. Each line on stdin is a command: {"set": number} sends device data,
// {"skip": true} leaves one number of the sequence out, {"device_death": true}, {"crash": true}.
"use strict";
const sparkplug = require("sparkplug-client");
const readline = require("readline");

const [port, username, password] = process.argv.slice(2);
const client = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`, username, password,
  groupId: "mine", edgeNode: "fan", clientId: "fan-node", keepalive: 5, version: "spBv1.0",
});
const tell = (words) => process.stdout.write(JSON.stringify(words) + "\n");
const motor = { speed: 740.5, count: -12, total: 5000000000, on: true, mode: "自动" };
let births = 0;

function metrics() {
  const timestamp = Date.now();
  return [
    { name: "Motor/Speed", type: "Double", value: motor.speed, timestamp },
    { name: "Motor/Count", type: "Int32", value: motor.count, timestamp },
    { name: "Motor/Total", type: "UInt64", value: motor.total, timestamp },
    { name: "Motor/On", type: "Boolean", value: motor.on, timestamp },
    { name: "Motor/Mode", type: "String", value: motor.mode, timestamp },
  ];
}

client.on("birth", () => {
  client.publishNodeBirth({ timestamp: Date.now(), metrics: [
    { name: "Node Control/Rebirth", type: "Boolean", value: false },
    { name: "Load", type: "Float", value: 0.25 },
  ] });
  client.publishDeviceBirth("motor", { timestamp: Date.now(), metrics: metrics() });
  births += 1;
  tell({ ready: true, births });
});

client.on("ncmd", (payload) => {
  if ((payload.metrics || []).some((m) => m.name === "Node Control/Rebirth" && m.value)) client.emit("birth");
});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  if (asked.skip) client.incrementSeqNum();
  if (asked.set !== undefined) {
    motor.speed = asked.set;
    client.publishDeviceData("motor", { timestamp: Date.now(), metrics: metrics().slice(0, 1) });
  }
  if (asked.device_death) client.publishDeviceDeath("motor", { timestamp: Date.now() });
  if (asked.crash) process.exit(1);
});
