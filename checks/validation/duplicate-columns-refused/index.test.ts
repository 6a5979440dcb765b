import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { duplicateColumnsRefused } from "./index.ts";

const sound = soundFor(duplicateColumnsRefused, proof);
const verdict = (change: Partial<typeof sound>): string[] => judged(duplicateColumnsRefused, { ...sound, ...change });
const creating = (at: number, change: Partial<(typeof sound.created.attempts)[number]>): string[] =>
  verdict({
    created: {
      ...sound.created,
      attempts: sound.created.attempts.map((one, n) => (n === at ? { ...one, ...change } : one)),
    },
  });
const shape = sound.before ?? { version: "", columns: [] };
const accepted = (of: string, ...columns: string[]): string =>
  `accepted: ${of}: ${JSON.stringify({ case: of, columns })}`;

test("a table is a duplicate whether its creation was acknowledged or only done", () => {
  for (const at of [0, 6]) {
    expect(creating(at, { said: yes(), made: "{}" })).toEqual([accepted(`creation ${at}`)]);
    expect(creating(at, { made: "{}" })).toEqual([accepted(`creation ${at}`)]);
  }
});

test("what changed although no change was accepted", () => {
  const other = { ...shape, columns: ["id", "name", "other", "x"] };
  expect(verdict({ after: other })).toEqual([
    'accepted: {"case":"looked up afterwards","columns":["id","name","other","x"]}',
  ]);
  expect(verdict({ after: { ...other, version: "3" } })).toEqual(['versionMoved: {"from":"1","to":"3"}']);
  const altered = sound.altered.map((one, at) => (at === 6 ? { ...one, said: yes() } : one));
  expect(verdict({ altered, after: { ...other, version: "3" } })).toEqual([
    accepted("change 6", "id", "name", "other", "x"),
  ]);
  const unread = ["unknown: columns and version of the altered table could not be read"];
  expect(verdict({ before: null })).toEqual(unread);
  expect(verdict({ after: null })).toEqual(unread);
});

test("why it shows nothing", () => {
  const { attempts } = sound.created;
  expect(verdict({ created: { attempts: attempts.slice(0, 7), unread: null } })).toEqual([
    "unknown: only 14 statements were tried",
  ]);
  expect(verdict({ altered: sound.altered.slice(1) })).toEqual(["unknown: only 14 statements were tried"]);
  const broken = ["unknown: a valid CREATE TABLE or ADD COLUMN does not work either, so the rejections show nothing"];
  expect(creating(7, { made: null })).toEqual(broken);
  expect(verdict({ added: { ...sound.added, said: nothing() } })).toEqual(broken);
  const unmoved = ["unknown: a valid ADD COLUMN does not change the version, so an unchanged version shows nothing"];
  expect(verdict({ moved: null })).toEqual(unmoved);
  expect(verdict({ moved: shape })).toEqual(unmoved);
  expect(creating(0, { said: no("X", "slower", "rate", 429) })).toEqual([expect.stringMatching(/^unknown/)]);
  expect(verdict({})).toEqual([
    "pass: 7 tables and 7 changes rejected, columns and version 1 unchanged; a valid change moves it to 2",
  ]);
});

test("where quoted names keep their case, one change is none of a duplicate", () => {
  const quotedCase = "kept" as never;
  expect(verdict({ quotedCase, altered: sound.altered.slice(0, 6) })[0]).toContain(
    "pass: 7 tables and 6 changes rejected",
  );
  expect(verdict({ quotedCase, altered: sound.altered.slice(0, 5) })).toEqual([
    "unknown: only 13 statements were tried",
  ]);
});
