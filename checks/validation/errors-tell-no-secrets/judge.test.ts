import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { errorsTellNoSecrets } from "./index.ts";

const sound = soundFor(errorsTellNoSecrets, proof);
const of = sound.provoked.length;
/** The first so many are errors, the others have this status. */
const provoking = (errors: number, status = 200): string[] =>
  judged(errorsTellNoSecrets, {
    ...sound,
    provoked: sound.provoked.map((one, at) => (at < errors ? one : { ...one, status })),
  });
const passed = (errors: number) => [
  `pass: ${errors} of ${of} errors provoked; none reveals paths, stack traces, secrets or another account's data`,
];

test("eighteen errors are enough, and of fewer it is said what came instead", () => {
  expect(provoking(18)).toEqual(passed(18));
  const others = sound.provoked.slice(17).map((one) => `${one.case} got 399`);
  expect(provoking(17, 399)).toEqual([`unknown: only 17 of ${of} errors were provoked: ${others.join(", ")}`]);
  expect(provoking(18, 400)).toEqual(passed(of));
  expect(provoking(of)).toEqual(passed(of));
});
