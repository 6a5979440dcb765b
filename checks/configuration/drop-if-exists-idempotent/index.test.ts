import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { dropIfExistsIdempotent } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof dropIfExistsIdempotent.judge>[0];
const [sound] = proof.holds as readonly [Seen];

test("with two namespaces beside it a wrong drop could go unnoticed", () => {
  const two = sound.before.slice(0, 2);
  expect(judged(dropIfExistsIdempotent, { ...sound, before: two, after: two })).toEqual([
    expect.stringMatching(/^unknown: the namespaces created beside it/),
  ]);
});
