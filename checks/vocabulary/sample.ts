/** At light effort a check tries a part of its cases: the kinds that find most, and a few of the others. */
import type { Context } from "../../src/check.ts";

/**
 * At light effort every n-th item, and those that `always` picks, in their order; otherwise all. The same at every run: a gate that
 * is green must not be red the next time because it looked elsewhere.
 */
export function sampleAtLight<Item>(
  { effort }: Pick<Context, "effort">,
  items: readonly Item[],
  every: number,
  always: (item: Item) => boolean = () => false,
): readonly Item[] {
  return effort === "light" ? items.filter((item, at) => at % every === 0 || always(item)) : items;
}
