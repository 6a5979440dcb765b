import { expect, test } from "vitest";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { foreignTransactionClosed } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(foreignTransactionClosed, proof);
type Round = (typeof sound.rounds)[number];
const having = (probe: Round["probe"], change: Partial<Round>): Round[] =>
  sound.rounds.map((one) => (one.probe === probe ? { ...one, ...change } : one));
const again = (probe: Round["probe"], change: Partial<Round>): Round[] => [
  ...sound.rounds,
  ...sound.rounds.filter((one) => one.probe === probe).map((one) => ({ ...one, ...change })),
];
const keys = (probe: Round["probe"]): readonly [string, string] =>
  sound.rounds.find((one) => one.probe === probe)?.keys ?? ["", ""];
const silent = { said: nothing(), rows: null };
const ended = no("SQL_EXECUTION_ERROR", "no transaction", "batchPart");
const changed = (statement: string, role: string, what: string): string[] => [
  `changedForeign: ${statement}: ${JSON.stringify({ statement, role, what })}`,
];

test.each<readonly [string, Round[], string[]]>([
  [
    "one row of a batch that ends with ROLLBACK is there",
    having("commit", { after: ["1", keys("commit")[1]] }),
    changed("COMMIT", "user", "1 of the 2 rows of a batch that ends with ROLLBACK are there"),
  ],
  [
    "one acknowledged row of two is gone",
    having("write", { acknowledged: ["5010", "5011"], after: ["1", "5011"] }),
    changed("INSERT", "service", "1 acknowledged rows of the other account are gone with the batch"),
  ],
  [
    "one row of an acknowledged batch is gone",
    having("rollback", { after: ["1", keys("rollback")[0]] }),
    changed("ROLLBACK", "user", "the batch was acknowledged, and 1 of its 2 rows are there"),
  ],
  [
    "the batch was not answered alone",
    having("alone", { batch: nothing() }),
    ["unknown: the batch did not work alone: no answer within 15000 ms"],
  ],
  [
    "the batch failed alone once",
    again("alone", { batch: ended }),
    ["unknown: the batch did not work alone: no transaction"],
  ],
  [
    "one of two rounds is read with any id, by one of two reads",
    again("read", {
      controls: [
        { said: yes(), rows: ["1"] },
        { said: yes(), rows: [keys("read")[0]] },
      ],
    }),
    ["unknown: rows of an open transaction are seen with any request id"],
  ],
  [
    "one of two rounds leaves rows",
    again("read", { after: ["1", keys("read")[0]] }),
    ["unknown: batches that end with ROLLBACK leave rows, whoever sends what meanwhile"],
  ],
  ...(["read", "rollback", "commit", "write"] as const).map((probe) => {
    const answered = sound.rounds.find((one) => one.probe === probe)?.tries.slice(0, 1) ?? [];
    const rounds = having(probe, { tries: [...answered, silent, silent] });
    const sentence = `unknown: only 1 requests of the probe ${probe} were sent while the batch was in flight; at least 2 are needed`;
    const what = `one answered request of the probe ${probe}`;
    return [what, rounds, [sentence]] satisfies [string, Round[], string[]];
  }),
])("%s", (_, rounds, verdict) => {
  expect(judged(foreignTransactionClosed, { rounds })).toEqual(verdict);
});

test("the requests that show it: the batch, and what was accepted while it ran", () => {
  const numbered = [8, 9, 10].map((exchange) => ({ said: { ...yes(), exchange }, rows: [] }));
  const tries = [{ said: { ...ended, exchange: 7 }, rows: null }, ...numbered];
  const found = foundIn(foreignTransactionClosed, { rounds: having("rollback", { batch: ended, tries }) });
  expect(found.map(({ sent }) => sent)).toEqual([[1, 8, 9, 10]]);
});

test("in how many tries a row was seen", () => {
  const [own] = keys("read");
  const tries = [
    { said: yes(), rows: ["1"] },
    { said: { ...yes(), exchange: 5 }, rows: ["1", own] },
    { said: { ...yes(), exchange: 6 }, rows: [own] },
    silent,
  ];
  const found = foundIn(foreignTransactionClosed, { rounds: having("read", { tries }) });
  expect(found.map(({ data, sent }) => ({ data, sent }))).toEqual([{ data: { times: 2, of: 4 }, sent: [5, 6] }]);
});
