// A Modbus TCP server on the modbus-serial stack. argv: port. Units 1 and 2; others do not answer.
// Each line on stdin is an object: {unit, table, start, values} puts values there; {unit, table, start,
// count, get: true} prints {values}.
"use strict";
const readline = require("readline");
const ModbusRTU = require("modbus-serial");

const port = Number(process.argv[2]);
const memory = {};
for (const unit of [1, 2]) {
  memory[unit] = { co: {}, di: {}, ir: {}, hr: {} };
}

function get(table) {
  return (address, unit) => {
    if (address >= 1000) {
      throw { modbusErrorCode: 2, msg: "no such address" };
    }
    return memory[unit][table][address] ?? (table === "co" || table === "di" ? false : 0);
  };
}

function set(table) {
  return (address, value, unit) => {
    memory[unit][table][address] = value;
  };
}

const server = new ModbusRTU.ServerTCP(
  {
    getCoil: get("co"),
    getDiscreteInput: get("di"),
    getInputRegister: get("ir"),
    getHoldingRegister: get("hr"),
    setCoil: set("co"),
    setRegister: set("hr"),
  },
  { host: "127.0.0.1", port, unitID: 255 },
);
server.on("initialized", () => console.log(JSON.stringify({ port })));
server.on("socketError", () => {});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { unit, table, start, values, count } = JSON.parse(line);
  if (values) {
    values.forEach((value, n) => (memory[unit][table][start + n] = value));
    console.log(JSON.stringify({ put: values.length }));
  } else {
    const found = Array.from({ length: count }, (_, n) => memory[unit][table][start + n] ?? null);
    console.log(JSON.stringify({ values: found }));
  }
});
