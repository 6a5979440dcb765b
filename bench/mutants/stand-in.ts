/** What the tests use of vitest, for running them many times in one process: defines tests, runs them until one fails. */
import { expect as vitestExpect, vi as vitestVi } from "vitest";

export const expect = vitestExpect;
export const vi = vitestVi;

type Body = (...values: readonly unknown[]) => unknown;
interface Case {
  readonly name: string;
  readonly body: Body;
  readonly before: readonly Body[];
  readonly after: readonly Body[];
}

const cases: Case[] = [];
const once = { before: [] as Body[], after: [] as Body[] };
let around = { before: [] as Body[], after: [] as Body[] };

/** Tests that state a longer limit are about size: they take seconds, and what they run is judged by others, too. */
const limitMs = 120_000;

/** The body is the first function: options and a time limit may come before or after it. */
function define(name: string, ...rest: readonly unknown[]): void {
  const limits = rest.map((one) => (typeof one === "number" ? one : ((one as { timeout?: number }).timeout ?? 0)));
  if (Math.max(0, ...limits) > limitMs) return;
  const body = rest.find((one): one is Body => typeof one === "function");
  if (body === undefined) throw new Error(`the test "${name}" has no body`);
  cases.push({ name, body, before: around.before, after: around.after });
}

function group(name: string, ...rest: readonly unknown[]): void {
  const body = rest.find((one): one is Body => typeof one === "function");
  const outer = around;
  around = { before: [...outer.before], after: [...outer.after] };
  body?.(name);
  around = outer;
}

/** `each` spreads a row that is a list, `for` does not. */
function forRows(into: typeof define, spread: boolean) {
  return (rows: readonly unknown[]) =>
    (name: string, ...rest: readonly unknown[]): void => {
      const body = rest.find((one): one is Body => typeof one === "function");
      const others = rest.filter((one) => one !== body);
      for (const row of rows)
        into(name, () => body?.(...(spread && Array.isArray(row) ? (row as unknown[]) : [row])), ...others);
    };
}

const kinds = (into: typeof define) => ({ each: forRows(into, true), for: forRows(into, false) });

export const test = Object.assign(define, kinds(define), { concurrent: Object.assign(define, kinds(define)) });
export const describe = Object.assign(group, kinds(group), { concurrent: group, sequential: group });
export const beforeEach = (body: Body): unknown => around.before.push(body);
export const afterEach = (body: Body): unknown => around.after.unshift(body);
export const beforeAll = (body: Body): unknown => once.before.push(body);
export const afterAll = (body: Body): unknown => once.after.unshift(body);

/** Resolves to the first problem, or undefined. */
export async function runTests(): Promise<string | undefined> {
  let problem: string | undefined;
  try {
    for (const body of once.before) await body();
    for (const one of cases) {
      problem = await runCase(one);
      if (problem !== undefined) break;
    }
  } catch (error) {
    problem = String(error);
  }
  for (const body of once.after) await body();
  return problem;
}

async function runCase({ name, body, before, after }: Case): Promise<string | undefined> {
  try {
    for (const one of before) await one();
    await body();
    return undefined;
  } catch (error) {
    return `${name}: ${String(error)}`;
  } finally {
    for (const one of after) await one();
  }
}
