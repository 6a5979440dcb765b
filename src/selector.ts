/** How users name checks: by id, category, `touches:load`, or glob. */
import { touchesOrder, type Category, type Check } from "./check.ts";
import { didYouMean } from "./nearest.ts";
import { mismatchMessage, type Kind } from "./profile/values.ts";
import { UsageError } from "./profile/usage.ts";

/** A selector, which matches at least one of these checks. */
export function selectorKind(categories: readonly Category[]): Kind<string> {
  const checks = categories.flatMap((category) => category.checks);
  return {
    expected: "a check's id, a category, touches:load, or a glob",
    schema: { type: "string" },
    parse(text) {
      if (isTouches(text) || checks.some((check) => matches(text, check))) return { value: text };
      const touches = touchesOrder.map((one) => `touches:${one}`);
      const known = [...checks.map((check) => check.id), ...categories.map((category) => category.id), ...touches];
      const message = `no check matches ${JSON.stringify(text)}`;
      return { code: "unknownCheck", message, hint: didYouMean(text, known) };
    },
  };
}

/** The ids that the selectors match. Throws UsageError. */
export function select(selectors: readonly string[], categories: readonly Category[]): Set<string> {
  const checks = categories.flatMap((category) => category.checks);
  const kind = selectorKind(categories);
  const selected = new Set<string>();
  for (const selector of selectors) {
    const parsed = kind.parse(selector);
    if ("code" in parsed)
      throw new UsageError(parsed.code, mismatchMessage(kind, parsed, JSON.stringify(selector)), { selector });
    for (const check of checks) if (matches(selector, check)) selected.add(check.id);
  }
  return selected;
}

/** Valid even if no check touches that much: a profile may exclude checks that do not exist yet. */
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
