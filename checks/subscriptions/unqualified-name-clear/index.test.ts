import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import proof from "./proof.ts";
import { unqualifiedNameClear } from "./index.ts";

const sound = soundFor(unqualifiedNameClear, proof);
type Way = typeof sound.plain;
const verdict = (change: Partial<typeof sound>): string[] => judged(unqualifiedNameClear, { ...sound, ...change });
const having = (way: "control" | "plain" | "withNamespace", change: Partial<Way>): string[] =>
  verdict({ [way]: { ...sound[way], ...change } });
const name = "kr_a1b2c_1_only";
const refused = no("SQL_EXECUTION_ERROR", "not found", "missing");
const form = refusal("INVALID_SQL", "no such form");
const disagree = (of: string, statement: string, http: string, socket: string): string[] => [
  `disagree: ${of}: ${JSON.stringify({ statement, http, socket })}`,
];
const passed = (http: string, socket: string, third: string) => [
  `pass: unqualified: over HTTP ${http}, on a socket ${socket}; with namespace_id ${third}; the qualified name works both ways`,
];

test("the qualified name must work both ways and show its row", () => {
  const even = (words: string) => [`unknown: even with the qualified name: ${words}`];
  expect(having("control", { http: refused })).toEqual([
    expect.stringMatching(/^unknown: even with the qualified name: HTTP refused not found, socket .*, 1 rows$/),
  ]);
  expect(having("control", { opening: form })).toEqual(even("HTTP ok done, socket INVALID_SQL no such form, 1 rows"));
  expect(having("control", { rows: ["another"] })).toEqual([expect.stringMatching(/^unknown: even with .*, 1 rows$/)]);
});

test("a table elsewhere is one by either way", () => {
  expect(verdict({ select: yes() })).toEqual([`otherTable: {"how":"SELECT","name":"${name}"}`]);
  const rows = sound.control.rows;
  expect(having("plain", { rows })).toEqual([`otherTable: {"how":"a live query","name":"${name}"}`]);
  expect(having("plain", { rows: ["another"] })).toEqual(passed("refused", "refused", "ready"));
});

test("a statement that HTTP returned and the socket rejects as SQL leads nowhere", () => {
  const sql = "SELECT * FROM a";
  const deadEnd = { http: yes(), sql, opening: form };
  expect(having("plain", deadEnd)).toEqual(
    disagree("plain", sound.plain.name, `accepted, with ${sql}`, "INVALID_SQL no such form"),
  );
  expect(having("withNamespace", deadEnd)).toEqual(
    disagree("namespace_id", sound.withNamespace.name, `accepted, with ${sql}`, "INVALID_SQL no such form"),
  );
  const missing = refusal("NOT_FOUND", "no");
  expect(having("plain", { ...deadEnd, opening: missing })).toEqual(passed("ok", "refused", "ready"));
  expect(having("plain", { ...deadEnd, http: refused })).toEqual(passed("refused", "refused", "ready"));
  expect(having("plain", { ...deadEnd, opening: { ...form, kind: "unsure" } })).toEqual([
    expect.stringMatching(/^unknown/),
  ]);
});

test("what only the socket accepts is one for the plain name, whose namespace cannot be in the request", () => {
  const wider = { http: refused, opening: ready(), rows: [] };
  expect(having("plain", wider)).toEqual([
    expect.stringMatching(/^disagree: plain: .*"http":"rejected: SQL_EXECUTION_ERROR"/),
  ]);
  expect(having("withNamespace", wider)).toEqual(passed("refused", "refused", "ready"));
  expect(having("plain", { ...wider, http: yes() })).toEqual(passed("ok", "ready", "ready"));
  expect(having("plain", { ...wider, http: nothing() })).toEqual([expect.stringMatching(/^unknown/)]);
});

test("why it shows nothing", () => {
  for (const way of ["plain", "withNamespace"] as const) {
    const vague = [expect.stringMatching(new RegExp(`^unknown: ${sound[way].name}: HTTP `))];
    expect(having(way, { http: nothing() })).toEqual(vague);
    expect(having(way, { opening: noOpening() })).toEqual(vague);
    expect(having(way, { opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") })).toEqual(vague);
    expect(having(way, { opening: { ...form, reason: "other" } })).toEqual(vague);
  }
  expect(verdict({ select: nothing() })).toEqual([`unknown: SELECT from ${name}: no answer within 15000 ms`]);
});
