import fc from "fast-check";
import { expect, test } from "vitest";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import proof from "./proof.ts";
import { sharedTablesLive } from "./index.ts";

type Seen = Parameters<typeof sharedTablesLive.judge>[0];
const sound = proof.holds[0] as Seen;
const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);

test("a subscription is compared with SELECT, whatever the two answers are", () => {
  const select = fc.constantFrom(yes(), denied, nothing(), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429));
  const opening = fc.constantFrom(
    ready(),
    refusal("UNAUTHORIZED"),
    refusal("SUBSCRIPTION_LIMIT_EXCEEDED"),
    noOpening(),
  );
  fc.assert(
    fc.property(fc.nat(), select, opening, (n, said, opened) => {
      const at = n % sound.access.length;
      const access = sound.access.map((one, index) => (index === at ? { ...one, select: said, opening: opened } : one));
      const verdict = sharedTablesLive.judge({ ...sound, access }, sharedTablesLive.limits);
      const closedToAll = sound.access[at]?.who === "user" && sound.access[at].table !== "PUBLIC";
      const names = verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [];
      expect(names.includes("tooOpen")).toBe(opened.kind === "ready" && (said === denied || closedToAll));
      expect(names.includes("tooClosed")).toBe(opened.reason === "right" && said.kind === "ok");
      // Neither allowed nor denied: no verdict.
      if (said.kind === "unsure" || said.why === "rate" || opened.kind === "unsure" || opened.reason === "limit")
        expect(["unknown", ...(closedToAll && opened.kind === "ready" ? ["fail"] : [])]).toContain(verdict.kind);
    }),
  );
});

test("where policies hide rows, a live query is too open if it shows some that SELECT does not", () => {
  const hidden = proof.holds[1] as Seen;
  const having = (at: number, change: object): string[] =>
    judged(sharedTablesLive, {
      ...hidden,
      access: hidden.access.map((one, n) => (n === at ? { ...one, ...change } : one)),
    });
  expect(having(1, {})).toEqual([expect.stringMatching(/^pass: 5 of 5/)]);
  expect(having(1, { snapshot: 1 })).toEqual([expect.stringMatching(/^tooOpen: user PRIVATE/)]);
  expect(having(1, { snapshot: 1, selected: 1 })).toEqual([expect.stringMatching(/^tooOpen: user PRIVATE/)]);
  expect(having(0, { snapshot: 1, selected: 0 })).toEqual([expect.stringMatching(/^tooOpen: user PUBLIC/)]);
  expect(having(1, { select: denied })).toEqual([expect.stringMatching(/^tooOpen: user PRIVATE/)]);
  const closed = { ...hidden.access[0]?.opening, kind: "refused" as const, reason: "right" as const };
  expect(having(0, { opening: closed })).toEqual([expect.stringMatching(/^tooClosed: user PUBLIC/)]);
  expect(having(1, { opening: closed })).toEqual([expect.stringMatching(/^pass/)]);
});

test("what SELECT said of a table that is too open is said", () => {
  const having = (select: ReturnType<typeof yes>): string[] =>
    judged(sharedTablesLive, {
      ...sound,
      access: sound.access.map((one, at) => (at === 1 ? { ...one, select, opening: ready() } : one)),
    });
  const open = { who: "user", table: "PRIVATE" };
  expect(having(denied)).toEqual([`tooOpen: user PRIVATE: ${JSON.stringify({ ...open, select: "no" })}`]);
  expect(having(yes())).toEqual([`tooOpen: user PRIVATE: ${JSON.stringify({ ...open, select: "ok" })}`]);
});
