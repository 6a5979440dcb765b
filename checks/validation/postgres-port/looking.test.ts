/** The checks against a server that has the defect itself: the proofs change only what is told of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { run } from "../../../src/run.ts";
import { findPostgres } from "../../../src/server/postgres.ts";
import { askDialect } from "../../../src/server/probing.ts";
import { postgresOf } from "../../../src/wire/postgres/client.ts";
import type { Wire } from "../../../src/wire/wire.ts";
import { openTestSession, startSandbox } from "../../../test/sandbox.ts";
import { postgresLoginsGuarded } from "./postgres-logins-guarded/index.ts";
import { postgresPasswordsEncrypted } from "./postgres-passwords-encrypted/index.ts";
import { postgresRowsAgree } from "./postgres-rows-agree/index.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-postgres-"));
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});
const timeout = 120_000;
const signal = new AbortController().signal;

type Verdicts = Readonly<Record<string, string>>;

/** By check: the findings, or the verdict; of several looks at one server, each over another wire. */
async function looksAt(
  { faults, host }: { readonly faults: string; readonly host: string },
  wires: readonly ((wire: Wire) => Wire)[],
): Promise<Verdicts[]> {
  const server = await startSandbox({
    forSpeed: "all",
    changes: { "postgres_wire.host": host },
    environment: { KALAM_SANDBOX_DIALECT: "0.8", KALAM_SANDBOX_FAULTS: faults },
  });
  ending.push(async () => await server.stop());
  const { session, wire } = await openTestSession(server, folder);
  ending.push(async () => await wire.close());
  await askDialect(session, signal);
  await findPostgres(session, { given: server.postgres, signal });
  const steps = [postgresPasswordsEncrypted, postgresLoginsGuarded, postgresRowsAgree].map(
    (check) => ({ check, disposition: { kind: "run" }, limits: {} }) as const,
  );
  const options = { effort: "light", seed: 1, parallel: 1, timeoutMs: 60_000, budgetMs: 60_000, keep: false } as const;
  const looks: Verdicts[] = [];
  for (const over of wires) {
    const outcomes = await run(steps, session, { ...options, signal, wire: over(wire) });
    looks.push(
      Object.fromEntries(
        outcomes.map(({ step, verdict }) => [
          step.check.id.replace(/.*-/, ""),
          verdict.kind === "fail"
            ? verdict.found.map(({ name }) => name).join(" ")
            : `${verdict.kind}: ${verdict.sentence}`,
        ]),
      ),
    );
  }
  return looks;
}

async function verdictsOf(faults: string, host: string): Promise<Verdicts> {
  const [verdicts = {}] = await looksAt({ faults, host }, [(wire) => wire]);
  return verdicts;
}

/** Resets the nth connection. There is another address of this machine, on which nothing listens. */
function resetting(nth: number): (wire: Wire) => Wire {
  return (wire) => {
    const { postgres } = wire;
    if (postgres === undefined) return wire;
    let made = 0;
    const lost = { kind: "broken", because: "reset", detail: "it was reset" } as const;
    return {
      ...wire,
      postgres: {
        ownAddresses: ["192.0.2.77"],
        async call(asked) {
          made += 1;
          if (made === nth) return { kind: "reached", tls: "none", asks: null, login: lost, results: [] };
          if (asked.at.host === "192.0.2.77") return { kind: "unreached", detail: "nothing listens there" };
          return await postgres.call(asked);
        },
      },
    };
  };
}

test("a sound port passes, and says what was seen", { timeout }, async () => {
  const verdicts = await verdictsOf("", "127.0.0.1");
  expect(verdicts["encrypted"]).toMatch(
    /^pass: 127\.0\.0\.1:\d+ is on loopback; not reachable at \d+ other address(es)? /,
  );
  expect(verdicts["guarded"]).toMatch(
    /^pass: 1 right login let in; 3 of 3 wrong ones refused \(28P01 .*\); no session of them/,
  );
  expect(verdicts["agree"]).toBe("pass: 4 rows with 5 columns agree, read twice; none of another account");
});

test("a port that is open on every address is found where this machine has another one", { timeout }, async () => {
  const addresses = postgresOf().ownAddresses;
  const expected = addresses.length > 0 ? /^clearTextPassword\b/ : /not reachable at 0 other addresses/;
  expect((await verdictsOf("", "0.0.0.0"))["encrypted"]).toMatch(expected);
});

test("a server that lets anyone in, and one that loses a row there", { timeout }, async () => {
  expect(await verdictsOf("letAnyoneIn,loseLastRowOnWire", "127.0.0.1")).toMatchObject({
    guarded: "acceptedLogin acceptedLogin acceptedLogin",
    agree: "rowsDiffer",
  });
});

test("a connection that is reset is no finding, and what it would have shown is unknown", { timeout }, async () => {
  const sound = { faults: "", host: "127.0.0.1" };
  const [first, second, last] = await looksAt(sound, [resetting(1), resetting(2), resetting(5)]);
  expect(Object.values(first ?? {}).map((one) => one.replace(/: .*/, ""))).toEqual(["unknown", "unknown", "unknown"]);
  expect(second?.["guarded"]).toBe("unknown: a wrong password: it was reset");
  expect(second?.["agree"]).toMatch(/^pass/);
  expect(last?.["encrypted"]).toBe("unknown: 192.0.2.77: it was reset");
  expect(last?.["guarded"]).toMatch(/^pass/);
});
