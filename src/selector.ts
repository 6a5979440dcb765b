/** How users name checks: by id or name, category, test of the production plan, `touches:load`, or glob. */
import { touchesOrder, type Category, type Check } from "./check.ts";
import { didYouMean } from "./nearest.ts";
import { mismatchMessage, type Kind, type Mismatch } from "./profile/values.ts";
import { UsageError } from "./profile/usage.ts";

/** A selector, which matches at least one of these checks. */
export function selectorKind(categories: readonly Category[]): Kind<string> {
  const checks = categories.flatMap((category) => category.checks);
  const others = [
    ...categories.map((category) => category.id),
    ...new Set(checks.flatMap((check) => check.covers)),
    ...touchesOrder.map((one) => `touches:${one}`),
  ];
  return {
    expected: "a check's id or name, a category, a test of the production plan, touches:load, or a glob",
    schema: { type: "string" },
    parse(text) {
      if (isTouches(text) || checks.some((check) => matches(text, check))) return { value: text };
      const named = checksNamed(text, checks);
      if (named.length === 1) return { value: text };
      return named.length > 1 ? ambiguous(text, named) : unknownCheck(text, checks, others);
    },
  };
}

/** One check, by its id or its name; the value is its id. */
export function checkKind(checks: readonly Check[]): Kind<string> {
  return {
    expected: "a check's id or name",
    schema: { type: "string" },
    parse(text) {
      const named = checks.some((check) => check.id === text) ? [text] : checksNamed(text, checks);
      if (named.length > 1) return ambiguous(text, named);
      const [id] = named;
      return id === undefined ? unknownCheck(text, checks, []) : { value: id };
    },
  };
}

/** The names that stand for one check each: those that no other category has, too. */
export function uniqueNames(checks: readonly Check[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string[]>();
  for (const { id } of checks) ids.set(nameOf(id), [...(ids.get(nameOf(id)) ?? []), id]);
  return new Map(
    [...ids].flatMap(([name, [id, ...others]]) => (id === undefined || others.length > 0 ? [] : [[name, id]])),
  );
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
    const matching = checks.filter((check) => matches(selector, check)).map(({ id }) => id);
    for (const id of matching.length > 0 ? matching : checksNamed(selector, checks)) selected.add(id);
  }
  return selected;
}

/** Valid even if no check touches that much: a profile may exclude checks that do not exist yet. */
function isTouches(selector: string): boolean {
  return touchesOrder.some((touches) => selector === `touches:${touches}`);
}

/** By everything but the name alone, which counts only where nothing else matches. */
function matches(selector: string, check: Check): boolean {
  if (selector === check.id || check.id.startsWith(`${selector}/`) || check.covers.includes(selector)) return true;
  if (selector.startsWith("touches:")) return check.observation.touches === selector.slice("touches:".length);
  if (!/[*?]/.test(selector)) return false;
  const pattern = selector
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(check.id);
}

function checksNamed(name: string, checks: readonly Check[]): string[] {
  return checks.map(({ id }) => id).filter((id) => nameOf(id) === name);
}

/** An id without its category. */
function nameOf(id: string): string {
  return id.slice(id.indexOf("/") + 1);
}

function ambiguous(text: string, ids: readonly string[]): Mismatch {
  return { code: "ambiguousCheck", message: `${JSON.stringify(text)} is ambiguous: ${ids.join(", ")}` };
}

const planTest = /^[A-Z]+-\d{2}$/;

function unknownCheck(text: string, checks: readonly Check[], others: readonly string[]): Mismatch {
  // A test of the plan is no misspelling of its neighbour.
  if (planTest.test(text)) return { code: "unknownCheck", message: `no check covers ${text} of the production plan` };
  const hint = didYouMean(text, [...checks.map((check) => check.id), ...others]);
  return { code: "unknownCheck", message: `no check matches ${JSON.stringify(text)}`, hint };
}
