/** How people name checks: an id, a category, `touches:load`, a glob. */
import { touchesOrder, type Category, type Check } from "./check.ts";
import { didYouMean } from "./nearest.ts";

/** A selector that matches nothing. The message names it and the nearest right one. */
export class SelectorError extends Error {}

/** The ids that the selectors name. Throws SelectorError. */
export function select(selectors: readonly string[], categories: readonly Category[]): Set<string> {
  const checks = categories.flatMap((category) => category.checks);
  const selected = new Set<string>();
  for (const selector of selectors) {
    const found = checks.filter((check) => matches(selector, check));
    if (found.length === 0 && !isTouches(selector)) {
      const touches = touchesOrder.map((one) => `touches:${one}`);
      const known = [...checks.map((check) => check.id), ...categories.map((category) => category.id), ...touches];
      throw new SelectorError(`no check is called ${JSON.stringify(selector)}${didYouMean(selector, known)}`);
    }
    for (const check of found) selected.add(check.id);
  }
  return selected;
}

/** Valid also where no check touches that much: a profile may rule out what is yet to come. */
function isTouches(selector: string): boolean {
  return touchesOrder.some((touches) => selector === `touches:${touches}`);
}

function matches(selector: string, check: Check): boolean {
  if (selector === check.id || check.id.startsWith(`${selector}/`)) return true;
  if (selector.startsWith("touches:")) return check.observation.touches === selector.slice("touches:".length);
  if (!/[*?]/.test(selector)) return false;
  const pattern = selector
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(check.id);
}
