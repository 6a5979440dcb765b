import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { errorsNameTheCause } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof errorsNameTheCause.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const firstIs = (said: object): string[] =>
  judged(errorsNameTheCause, {
    ...sound,
    tried: sound.tried.map((one, at) => (at === 0 ? { ...one, said: { ...one.said, ...said } } : one)),
  });

test("statuses from 400 to 499 are rejections, whose words count, also of the first", () => {
  for (const status of [400, 499])
    expect(firstIs({ status, message: "it failed" })).toEqual([expect.stringMatching(/^unclear: missing table: /)]);
  for (const status of [399, 500, null])
    expect(firstIs({ status, message: "it failed" })).toEqual([expect.stringMatching(/^unknown: missing table/)]);
});

test("an answer that was cut off, or a limit on the way, names no cause and is none of the server's", () => {
  for (const said of [
    { status: 400, why: "cut" },
    { status: 404, why: "reset" },
    { status: 408, why: "timeout" },
    { status: 429, why: "rate" },
  ])
    expect(firstIs({ ...said, kind: "unsure", message: "" })).toEqual([
      expect.stringMatching(/^unknown: .* it should have been rejected/),
    ]);
});
