import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { casesFor } from "./cases.ts";
import proof from "./proof.ts";
import { wrongTableTypeRefused } from "./index.ts";

const sound = soundFor(wrongTableTypeRefused, proof);
const verdict = (change: Partial<typeof sound>): string[] => judged(wrongTableTypeRefused, { ...sound, ...change });
const saying = (list: typeof sound.wrong, name: string, said: ReturnType<typeof no>) =>
  list.map((one) => (one.case === name ? { ...one, said } : one));
const passed = (works: number) => [
  `pass: 6 of 6 rejected, no job started, nothing changed; ${works} of 6 work on a SHARED table`,
];

test("what was accepted by none may still have changed something", () => {
  const unread = ["unknown: options, rows or jobs could not be read afterwards"];
  for (const name of ["before", "after", "rows", "jobs"]) expect(verdict({ [name]: null })).toEqual(unread);
  expect(verdict({ before: null, after: null })).toEqual(unread);
  const changed = (rows: string, options: string) => [
    `accepted: ${JSON.stringify({ case: "looked up afterwards", outcome: `none was accepted, but something changed: ${rows} rows in the STREAM table, options ${options}` })}`,
  ];
  expect(verdict({ after: "[1]" })).toEqual(changed('[[["0"]]]', "[1]"));
  expect(verdict({ rows: "[[[1]]]" })).toEqual(changed("[[[1]]]", "[]"));
  expect(verdict({ rows: "[[[0]]]" })).toEqual(passed(6));
  const accepted = saying(sound.wrong, "transaction on a STREAM", yes());
  expect(verdict({ wrong: accepted, rows: "[[[1]]]", after: "[1]" })).toEqual([
    'accepted: transaction on a STREAM: {"case":"transaction on a STREAM","outcome":"accepted with \\"done\\""}',
  ]);
});

test("a control may be missing from a version only where the case says so, and only if it is rejected", () => {
  const optional = new Set([
    "access level of a USER table",
    "access level of a USER table, as a property",
    "access level of a STREAM",
  ]);
  const refused = no("INVALID_SQL", "unknown", "parse");
  for (const { case: name } of sound.controls) {
    const broken = (message: string) => [
      `unknown: the control does not work, so the rejections show nothing: ${name}, ${message}`,
    ];
    expect(verdict({ controls: saying(sound.controls, name, refused) })).toEqual(
      optional.has(name) ? passed(5) : broken("unknown"),
    );
    expect(verdict({ controls: saying(sound.controls, name, nothing()) })).toEqual(broken("no answer within 15000 ms"));
  }
});

test("each statement and its control are tried, and the job of the control is listed", () => {
  const few = (count: number) => [`unknown: only ${count} of 6 statements were tried`];
  expect(verdict({ wrong: sound.wrong.slice(1) })).toEqual(few(5));
  expect(verdict({ controls: sound.controls.slice(0, 5) })).toEqual(few(6));
  const silent = ["unknown: system.jobs does not list the job of a valid flush, so its silence shows nothing"];
  expect(verdict({ controls: saying(sound.controls, "flush of a STREAM", yes("started")) })).toEqual(silent);
  expect(verdict({ jobs: [{ id: "FL-9", type: "flush", about: "" }] })).toEqual(silent);
});

test("where there are no access levels, none is tried", () => {
  const names = (access: Parameters<typeof casesFor>[0]) => casesFor(access).map(({ name }) => name);
  const others = names("levels").filter((name) => !name.startsWith("access level"));
  expect(names("policies")).toEqual(others);
  expect(names(null)).toEqual(others);
  expect([names("levels").length, others.length]).toEqual([6, 3]);
});
