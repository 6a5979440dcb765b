import { expect, test } from "vitest";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { healthTellsTruth } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof healthTellsTruth.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(healthTellsTruth, { ...sound, ...change });
const [round] = sound.rounds;
if (round === undefined) throw new Error("no rounds");
const down = { ...nothing("unavailable"), status: 503 };
const rounds = (...all: readonly Partial<typeof round>[]) => all.map((change) => ({ ...round, ...change }));
const sick = { ...round.health, healthy: false, outcome: "503 degraded" };
const closed = { ...round.health, kind: "closed" as const, healthy: false, outcome: "403" };

test("two contradictions are enough, one is not, and the first one's answer is told", () => {
  expect(judge({ rounds: rounds({ sql: down }, { sql: down }, {}, {}, {}) })).toEqual([
    'healthyButRefusing: {"times":2,"of":5,"outcome":"503  no answer within 15000 ms"}',
  ]);
  const refused = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);
  expect(judge({ rounds: rounds({ sql: down }, {}, {}, {}, { sql: refused }) })).toEqual([
    "unknown: in one round, GET /health got open and the query 503  no answer within 15000 ms",
  ]);
  expect(judge({ rounds: rounds({}, {}, {}, {}, { sql: refused }) })).toEqual([
    "unknown: in one round, GET /health got open and the query 429 RATE_LIMIT_EXCEEDED slower",
  ]);
});

test("a server that says it is sick may be, while it does not answer", () => {
  const both = { health: sick, sql: down };
  expect(judge({ rounds: rounds(both, both, both, both, both) })).toEqual([expect.stringMatching(/^unknown/)]);
  const serving = { health: sick, sql: yes() };
  expect(judge({ rounds: rounds(serving, serving, serving, serving, serving) })).toEqual([
    'sickButServing: {"of":5,"outcome":"503 degraded"}',
  ]);
  expect(judge({ rounds: rounds({ health: closed, sql: down }, { health: closed, sql: down }, {}, {}, {}) })).toEqual([
    expect.stringMatching(/^unknown/),
  ]);
});

test("one round of five may have been without an answer to GET /health; four rounds are too few", () => {
  const unsure = { ...round.health, kind: "unsure" as const, healthy: false, outcome: "cut" };
  expect(judge({ rounds: rounds({ health: unsure }, {}, {}, {}, {}) })).toEqual([
    "unknown: in one round, GET /health got cut and the query an answer",
  ]);
  expect(judge({ rounds: sound.rounds.slice(1) })).toEqual(["unknown: only 4 of 5 rounds were done"]);
});

test("a health that changed is told from the first round on, in kind and in state", () => {
  expect(judge({ rounds: rounds({ health: sick }, {}, {}, {}, {}) })).toEqual([
    "unknown: the reported health changed: 503 degraded, open, open, open, open",
  ]);
  const sickClosed = { health: closed };
  expect(judge({ rounds: rounds(sickClosed, {}, {}, {}, {}) })).toEqual([expect.stringMatching(/^unknown/)]);
  const none = { ...closed, kind: "none" as const };
  expect(judge({ rounds: rounds({ health: none }, sickClosed, sickClosed, sickClosed, sickClosed) })).toEqual([
    expect.stringMatching(/^unknown: the reported health changed/),
  ]);
});

test("a pass says whether the server is healthy or closed to us", () => {
  const all = rounds(
    { health: closed },
    { health: closed },
    { health: closed },
    { health: closed },
    { health: closed },
  );
  expect(judge({ rounds: all })).toEqual([expect.stringContaining("closed to remote clients, as it should be")]);
  expect(judge({})).toEqual([expect.stringMatching(/^pass: GET \/health healthy, query answered, 5 of 5/)]);
});

test("one round without a query is enough to say that there is nothing to compare with, from the first round on", () => {
  const why = "for a remote client closed; without a login there is no query to compare it with";
  const told = judge({ rounds: rounds({ sql: null, health: sick }, {}, {}, {}, {}) });
  expect(told).toEqual([`unknown: GET /health: 503 degraded, open; ${why.replace("closed", sound.forRemote.outcome)}`]);
});
