import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { parallelSubscriptionsSeparate } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(parallelSubscriptionsSeparate, proof);
const left = { own: 0, fenced: false, silent: true };

test.each([
  ["one row is missing before the last", { own: 7 }, {}, "lostChange"],
  ["no row came, beside neighbours that have all", left, {}, "lostChange"],
  // They share a server, and not a socket.
  ["no row came, beside neighbours alone", left, { fenced: false }, "lostChange"],
  ["it is closed, and no row came", { ...left, silent: false }, {}, "unknown"],
  ["all rows came", {}, {}, "pass"],
] as const)("%s", (_, first, onMany, wanted) => {
  const shares = sound.shares.map((one, at) => ({ ...one, ...(one.sockets > 1 ? onMany : at === 0 ? first : {}) }));
  const data = JSON.stringify({ group: 0, sockets: 1, own: shares[0]?.own, rows: 8 });
  const [said = "", ...more] = judged(parallelSubscriptionsSeparate, { ...sound, shares });
  expect(said).toContain(wanted === "lostChange" ? `lostChange: ${data}` : `${wanted}: `);
  expect(more).toEqual([]);
});
