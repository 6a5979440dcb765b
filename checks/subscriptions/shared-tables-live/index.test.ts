import fc from "fast-check";
import { expect, test } from "vitest";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
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
