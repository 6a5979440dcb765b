import { expect, test } from "vitest";
import type { Answer } from "../server/answer.ts";
import { Scratches } from "./scratches.ts";

/** A session that answers each statement as told, and what it was sent. */
function fake(refused: RegExp = /^$/) {
  const log: string[] = [];
  let number = 0;
  const answer = (text: string): Answer =>
    (refused.test(text)
      ? { kind: "refused", cause: "rule", message: "no" }
      : { kind: "ok", results: [] }) as unknown as Answer;
  const session = {
    login: null,
    nextName: () => `kr_${(number += 1)}`,
    ledger: { enter: ({ name }: { name: string }) => void log.push(`ledger: ${name}`) },
    sender: {
      sql: async (_: unknown, text: string) => {
        log.push(text);
        return await Promise.resolve(answer(text));
      },
    },
  } as unknown as ConstructorParameters<typeof Scratches>[0];
  return { log, session };
}
const { signal } = new AbortController();
const pooled = { alone: false };

test("several are made and dropped in one request, no more than there are observations", async () => {
  const { log, session } = fake();
  const scratches = new Scratches(session, 6);
  const names: string[] = [];
  for (let n = 0; n < 6; n += 1) names.push(await scratches.take(signal, pooled));
  expect(names).toEqual(["kr_1", "kr_2", "kr_3", "kr_4", "kr_5", "kr_6"]);
  const creations = (...of: number[]) => of.map((n) => `CREATE NAMESPACE kr_${n}`).join("; ");
  const drops = (...of: number[]) => of.map((n) => `DROP NAMESPACE IF EXISTS kr_${n} CASCADE`).join("; ");
  expect(log.filter((line) => !line.startsWith("ledger"))).toEqual([creations(1, 2, 3, 4), creations(5, 6)]);
  expect(log.slice(0, 4)).toEqual(["ledger: kr_1", "ledger: kr_2", "ledger: kr_3", "ledger: kr_4"]);
  log.length = 0;
  for (const name of names) await scratches.giveBack(name, 1_000);
  expect(log).toEqual([drops(1, 2, 3, 4), drops(5, 6)]);
});

test("one for an observation that stops the server is made for it alone", async () => {
  const { log, session } = fake();
  const scratches = new Scratches(session, 1);
  expect(await scratches.take(signal, { alone: true })).toBe("kr_1");
  expect(await scratches.take(signal, pooled)).toBe("kr_2");
  expect(log.filter((line) => line.startsWith("CREATE"))).toEqual(["CREATE NAMESPACE kr_1", "CREATE NAMESPACE kr_2"]);
});

test("where several at once are refused each is made alone, and a refusal of one ends only its observation", async () => {
  const { log, session } = fake(/; |kr_5$/);
  const scratches = new Scratches(session, 3);
  expect(await scratches.take(signal, pooled)).toBe("kr_4");
  await expect(scratches.take(signal, pooled)).rejects.toThrow("the set-up failed: CREATE NAMESPACE kr_5: ");
  expect(await scratches.take(signal, pooled)).toBe("kr_6");
  // Whatever the batch has left is known to the ledger.
  expect(log.filter((line) => line.startsWith("ledger"))).toHaveLength(6);
});
