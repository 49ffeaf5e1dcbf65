// An OPC UA server on node-opcua, for tests: a stack by other hands than the one that we use.
// Arguments: port, folder for its certificates. Says {"ready": true} once it listens; takes {"set": {name:
// value}}, {"add": name}, {"bad": name} and {"alarm": degrees} a line, and answers each with {"done": …}.
"use strict";
// The library prints warnings; the test reads lines of JSON.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
const say = (words) => write(JSON.stringify(words) + "\n");
const readline = require("readline");
const opcua = require("node-opcua");

const [port, folder] = [Number(process.argv[2]), process.argv[3]];
const NAMESPACE = "urn:test:node";

async function main() {
  const manager = new opcua.OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await manager.initialize();
  const server = new opcua.OPCUAServer({
    port,
    host: "127.0.0.1",
    resourcePath: "/node",
    serverCertificateManager: manager,
    serverInfo: { applicationUri: "urn:test:node:server" },
    hostname: "127.0.0.1",
    alternateHostname: ["127.0.0.1", "localhost"],
    securityPolicies: [opcua.SecurityPolicy.Basic256Sha256, opcua.SecurityPolicy.Aes256_Sha256_RsaPss],
    securityModes: [opcua.MessageSecurityMode.SignAndEncrypt],
    allowAnonymous: false,
    userManager: { isValidUser: (user, password) => user === "gateway" && password === "open sesame" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace(NAMESPACE);
  space.installAlarmsAndConditionsService();
  const folderNode = space.rootFolder.objects;
  const device = own.addObject({
    organizedBy: folderNode, browseName: "Device", nodeId: "s=Device", eventNotifier: 1, eventSourceOf: space.rootFolder.objects.server,
  });
  const nodes = {};
  const add = (name, value, dataType) => {
    nodes[name] = own.addVariable({
      componentOf: device, browseName: name, nodeId: `s=${name}`, dataType, minimumSamplingInterval: 0,
      value: { dataType: opcua.DataType[dataType], value },
    });
  };
  add("Speed", 1.5, "Double");
  add("Count", 7, "Int32");
  add("Kept", 0, "Double");
  space.installHistoricalDataNode(nodes.Kept);
  const temperature = own.addAnalogDataItem({
    componentOf: device, browseName: "Temperature", nodeId: "s=Temperature", dataType: "Double",
    engineeringUnitsRange: { low: -20, high: 120 }, engineeringUnits: opcua.standardUnits.degree_celsius,
    value: { dataType: opcua.DataType.Double, value: 20 },
  });
  nodes.Temperature = temperature;
  own.instantiateExclusiveLimitAlarm("ExclusiveLimitAlarmType", {
    browseName: "Hot", conditionName: "Hot", nodeId: "s=Hot", componentOf: device, conditionSource: device, inputNode: temperature,
    highHighLimit: 110, highLimit: 90, lowLimit: -10, lowLowLimit: -15, severity: 700,
  });
  const set = (name, value) =>
    nodes[name].setValueFromSource({ dataType: opcua.DataType[name === "Count" ? "Int32" : "Double"], value });
  await server.start();
  say({ ready: true });
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const told = JSON.parse(line);
    for (const [name, value] of Object.entries(told.set || {})) set(name, value);
    if (told.add) add(told.add, 2.5, "Double");
    if (told.bad) {
      nodes[told.bad].setValueFromSource(
        { dataType: opcua.DataType.Double, value: 0 }, opcua.StatusCodes.BadSensorFailure);
    }
    say({ done: Object.keys(told) });
  }).on("close", () => process.exit(0));
}

main().catch((error) => { console.error(error); process.exit(1); });
