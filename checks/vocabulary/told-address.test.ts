import { expect, test } from "vitest";
import { yes } from "./evidence.ts";
import { ready, refusal } from "./opening-evidence.ts";
import { addressFault, isElsewhere, pathFault, placeOf, type Told } from "./told-address.ts";

const told = (address: string, ours: string, rest: Partial<Told> = {}): Told => ({
  said: yes(),
  address,
  sql: "SELECT * FROM a.b",
  ours,
  tried: { why: null, opening: ready() },
  ...rest,
});

test.for([
  ["ws://localhost:8080/v1/ws", "http://127.0.0.1:8080", undefined],
  ["ws://0.0.0.0:8080/v1/ws", "http://127.0.0.1:8080", undefined],
  ["wss://db.example.net/v1/ws", "https://db.example.net", undefined],
  ["ws://localhost:8080/v1/ws", "http://localhost:2900", ["port 8080", "port 2900"]],
  ["ws://db.example.net:443/v1/ws", "https://db.example.net", ["ws:", "https:"]],
  ["ws://db.example.net:8080/v1/ws", "https://db.example.net", ["port 8080, ws:", "port 443, https:"]],
  [
    "ws://localhost:8080/v1/ws",
    "http://db.example.net:8080",
    ["the client's own machine, localhost", "db.example.net"],
  ],
] as const)("the place of %s is compared with %s by host, port and protocol", ([address, ours, differs]) => {
  const place = placeOf(told(address, ours));
  expect(place === undefined ? undefined : [place.told, place.reached]).toEqual(differs);
  expect(isElsewhere(told(address, ours))).toBe(false);
  // The path is tried where we reach the server, whatever is in between; a base path is the proxy's.
  const dead = { tried: { why: "404", opening: null } };
  expect(addressFault(told(address, ours, dead))).toBe("404");
  expect(addressFault(told(address, `${ours}/kalam`, dead))).toBeUndefined();
  expect(pathFault(told(address, `${ours}/kalam`, dead))).toBe("404");
  expect(addressFault(told(address, ours))).toBeUndefined();
});

test("another host cannot be judged from here", () => {
  const other = told("ws://inside.example.net:8080/v1/ws", "https://db.example.net", { sql: "", tried: null });
  expect([isElsewhere(other), placeOf(other), addressFault(other)]).toEqual([true, undefined, undefined]);
});

test("what is no address, or comes without a statement that works, is a fault anywhere", () => {
  for (const ours of ["http://localhost:8080", "https://db.example.net"]) {
    expect(addressFault(told("http://localhost:8080/v1/ws", ours))).toContain("not the address of a WebSocket");
    expect(addressFault(told("", ours))).toContain("not the address of a WebSocket");
    expect(addressFault(told("ws://localhost:8080/v1/ws", ours, { sql: "", tried: null }))).toContain("no statement");
  }
  const refused = { why: null, opening: refusal("INVALID_SQL", "no") };
  expect(addressFault(told("ws://localhost:8080/v1/ws", "http://localhost:8080", { tried: refused }))).toBe(
    "its statement is refused: INVALID_SQL no",
  );
});

test("without a port it is that of the protocol, and what was not tried has no fault", () => {
  expect(placeOf(told("ws://db.example.net/v1/ws", "http://db.example.net"))).toBeUndefined();
  expect(placeOf(told("ws://db.example.net/v1/ws", "http://db.example.net:443"))).toEqual({
    told: "port 80",
    reached: "port 443",
  });
  expect(placeOf(told("nowhere", "http://db.example.net"))).toBeUndefined();
  expect(isElsewhere(told("nowhere", "http://db.example.net"))).toBe(false);
  expect(pathFault(told("ws://localhost/v1/ws", "http://localhost", { tried: null }))).toBeUndefined();
});
