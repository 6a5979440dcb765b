import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { loadCategories, loadProof } from "../../checks/index.ts";
import { explainedSchema } from "../formats/explained.ts";
import { examples } from "../proof.ts";
import { explained, page } from "./explain.ts";

const checks = (await loadCategories()).flatMap((category) => category.checks);
const isValid = new Ajv2020({ allErrors: true, strict: true }).compile(explainedSchema as object);

test("the JSON of every check is as the schema says, with an example of each finding", async () => {
  const all = await Promise.all(checks.map(async (check) => explained(check, examples(await loadProof(check.id)))));
  const read = JSON.parse(JSON.stringify(all)) as typeof all;
  expect([isValid(read), isValid.errors]).toEqual([true, null]);
  expect(read.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
  for (const { id, findings } of read) {
    expect(findings.map(({ name }) => name)).toEqual(Object.keys(checks.find((one) => one.id === id)?.findings ?? {}));
    for (const { example, risk, remedy } of findings) expect([example, risk, remedy]).not.toContain("");
  }
});

test("the schema rejects what is no explanation", () => {
  const [check] = checks;
  if (check === undefined) throw new Error("there are no checks");
  const one = JSON.parse(JSON.stringify(explained(check, {}))) as Record<string, unknown>;
  expect(isValid([one])).toBe(true);
  for (const wrong of [
    { ...one, level: "info" },
    { ...one, more: 1 },
    { ...one, findings: undefined },
  ])
    expect(isValid(JSON.parse(JSON.stringify([wrong])))).toBe(false);
  expect(isValid(one)).toBe(false);
});

test("the JSON says what the page says", () => {
  for (const check of checks) {
    const text = page(check, {}).replace(/\s+/g, " ");
    const { id, description, blindTo, risk, remedy, findings, covers, limits } = explained(check, {});
    const names = [...findings.map(({ name }) => name), ...Object.keys(limits), ...covers];
    for (const word of [id, description, blindTo, risk, remedy, ...names]) expect(text).toContain(word.replace(/\s+/g, " ")); // prettier-ignore
    for (const finding of findings)
      for (const advice of [finding.risk, finding.remedy]) expect(text).toContain(advice.replace(/\s+/g, " "));
  }
});
