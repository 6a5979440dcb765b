import { expect, test } from "vitest";
import { judged, nothing, yes } from "../../vocabulary/evidence.ts";
import { failuresRecorded } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof failuresRecorded.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(failuresRecorded, { ...sound, ...change });
const none = sound.places.map((one) => ({ ...one, rows: [0, 0] }));

test("each failure that no view has is told, the login first", () => {
  expect(judge({ places: none })).toEqual([
    expect.stringMatching(
      /^unrecorded: a login with a wrong password: .*"places":\["system.audit_log","system.server_logs"\]/,
    ),
    expect.stringMatching(/^unrecorded: a query without permission: /),
  ]);
  expect(judge({ places: none.map((one) => ({ ...one, rows: [1, 0] })) })).toEqual([
    expect.stringMatching(/^unrecorded: a query without permission: /),
  ]);
  expect(judge({ places: none.map((one) => ({ ...one, rows: [0, 1] })) })).toEqual([
    expect.stringMatching(/^unrecorded: a login with a wrong password: /),
  ]);
});

test("what did not fail as it should is not missing", () => {
  expect(judge({ places: none, login: { ...sound.login, kind: "in" } })).toEqual([
    expect.stringMatching(/^unrecorded: a query without permission: /),
  ]);
  expect(judge({ places: none, query: yes() })).toEqual([
    expect.stringMatching(/^unrecorded: a login with a wrong password: /),
  ]);
});

test("a view that is empty or could not be read is named, the others are not", () => {
  const [audit, log] = none;
  if (audit === undefined || log === undefined) throw new Error("no places");
  expect(judge({ places: [audit, { ...log, kept: false }] })).toEqual([
    "unknown: a login with a wrong password is not recorded where it can be read: system.server_logs is empty",
  ]);
  const unread = { ...audit, kept: false, said: nothing() };
  expect(judge({ places: [unread, { ...log, kept: false }] })).toEqual([
    "unknown: a login with a wrong password is not recorded where it can be read: system.audit_log no answer within 15000 ms; system.server_logs is empty",
  ]);
});

test("a pass names the views that have rows about them", () => {
  expect(judge({})).toEqual([
    expect.stringContaining("(1 and 0 rows in system.audit_log, 2 and 1 rows in system.server_logs)"),
  ]);
  const [audit, log] = sound.places;
  if (audit === undefined || log === undefined) throw new Error("no places");
  expect(
    judge({
      places: [
        { ...audit, rows: [1, 1] },
        { ...log, rows: [0, 0] },
      ],
    }),
  ).toEqual([expect.stringContaining("(1 and 1 rows in system.audit_log)")]);
});
