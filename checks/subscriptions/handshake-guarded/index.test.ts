import fc from "fast-check";
import { expect, test } from "vitest";
import proof from "./proof.ts";
import { handshakeGuarded } from "./index.ts";
import { isClearClose } from "./strangers.ts";

type Seen = Parameters<typeof handshakeGuarded.judge>[0];
const sound = proof.holds[0] as Seen;

test("a connection that gets data or stays open is named", () => {
  const given = fc.array(fc.constantFrom("subscription_ack", "initial_data_batch", "change", "auth_success"), {
    maxLength: 3,
  });
  const closedMs = fc.option(fc.nat(20_000));
  fc.assert(
    fc.property(fc.nat(), given, closedMs, (n, frames, ms) => {
      const at = n % sound.tried.length;
      const tried = sound.tried.map((one, index) => (index === at ? { ...one, given: frames, closedMs: ms } : one));
      const verdict = handshakeGuarded.judge({ ...sound, tried }, handshakeGuarded.limits);
      const late = ms === null || ms > handshakeGuarded.limits.closedMsMax;
      const wanted = [...(frames.length > 0 ? ["dataBeforeLogin"] : []), ...(late ? ["noTimeout"] : [])];
      expect(verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : []).toEqual(wanted);
      if (verdict.kind === "fail")
        expect(new Set(verdict.found.map((one) => one.case))).toEqual(new Set([tried[at]?.case]));
    }),
  );
});

test("codes of rules, of the protocol and of the server's own are clear", () => {
  const clear = [1002, 1003, 1008, 3000, 3001, 4001, 4999];
  const unclear = [1000, 1001, 1004, 1006, 1007, 1009, 1011, 2999, 5000];
  expect([...clear, ...unclear].filter((code) => isClearClose(code))).toEqual(clear);
});
