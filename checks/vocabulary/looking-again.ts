/** A second look before an accusation: a read that lags, or that one answer in many gets wrong, is another defect. */
import type { Context } from "../../src/check.ts";

/** Asks after so many milliseconds. */
export async function afterAWhile<T>(context: Pick<Context, "poll">, ask: () => Promise<T>, ms = 300): Promise<T> {
  let waited = false;
  await context.poll(
    async () => {
      const was = waited;
      waited = true;
      return await Promise.resolve(was);
    },
    (over) => over,
    { withinMs: 3 * ms, everyMs: ms },
  );
  return await ask();
}
