import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { rapidQueriesAllServed } from "./index.ts";

const clock = 1_795_900_000_000;

/** The check against a clock; `change` may answer the nth query in another way. */
async function verdictOn(change: (n: number, mine: string) => Reply = () => undefined): Promise<string[]> {
  let n = -1;
  const server = scripted((sql) => {
    const [, mine = ""] = /^SELECT '(\d+-\d+)' AS mine, NOW\(\) AS now$/.exec(sql) ?? [];
    n += 1;
    return change(n, mine) ?? { columns: ["mine", "now"], rows: [[mine, String(clock + n)]] };
  });
  return judged(rapidQueriesAllServed, await observed(rapidQueriesAllServed, server));
}
const at = (place: number, reply: (mine: string) => Reply) => async (): Promise<string[]> =>
  await verdictOn((n, mine) => (n === place ? reply(mine) : undefined));

test("each query has a literal of its own, and its time", async () => {
  expect(await verdictOn()).toEqual([expect.stringMatching(/^pass: 20 of 20 queries answered/)]);
  const asked = new Set<string>();
  await verdictOn((_, mine) => {
    asked.add(mine);
    return undefined;
  });
  expect(asked.size).toBe(20);
});

test.each([0, 7, 19])("the answer to query %i is what is judged", async (place) => {
  const row = (mine: string | null, now: number | null): Reply => ({
    columns: ["mine", "now"],
    rows: [[mine, now === null ? null : String(now)]],
  });
  expect(await at(place, () => row("other", clock + place))()).toEqual([
    expect.stringMatching(/^failed: \{"failed":1,/),
  ]);
  expect(await at(place, () => "done")()).toEqual([expect.stringMatching(/^failed: \{"failed":1,/)]);
  expect(await at(place, () => "refused")()).toEqual(['failed: {"failed":1,"of":20,"first":"400 INVALID_SQL no"}']);
  expect(await at(place, () => "lost")()).toEqual([expect.stringMatching(/^unknown: only 19 of 20 queries/)]);
  expect(await at(place, (mine) => row(mine, null))()).toEqual([
    expect.stringMatching(/^unknown: only 19 of 20 answers/),
  ]);
  if (place > 0)
    expect(await at(place, (mine) => row(mine, clock - 4_000))()).toEqual([
      `timeWentBack: {"backMs":${4_000 + place - 1},"times":1,"of":20}`,
    ]);
});
