import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fieldNames, learn, restsOn, signsOfSettings, whyNotKnown, type Signs } from "./dialect.ts";
import { knownVersions, probedNames } from "./facts.ts";

const old: Signs = { sharedAccess: "levels", versionColumn: "_seq", cursor: "number", domain: "none" };
const now: Signs = { sharedAccess: "policies", versionColumn: "_version", cursor: "text", domain: "inBatchControl" };
const unknownIn = (told: string | undefined, signs: Signs): string[] =>
  fieldNames.filter((name) => !learn(told, signs).dialect[name].known);
const expectations = fieldNames.filter((name) => !(probedNames as readonly string[]).includes(name));

test("the version that was verified has every field, and nothing to say", () => {
  const { dialect, basis } = learn("0.4.3-rc.4", old);
  expect(unknownIn("0.4.3-rc.4", old)).toEqual([]);
  expect(basis).toBe("");
  expect(dialect.keyOptional).toEqual({ known: true, value: false, from: "seen", source: "0.4.3-rc.4" });
  expect(dialect.sharedAccess).toEqual({ known: true, value: "levels", from: "probed" });
  expect(restsOn(dialect, fieldNames)).toBeUndefined();
});

test("0.8 is known by documentation, and findings say so", () => {
  const { dialect, basis } = learn("0.8.0+documented", now);
  expect(basis).toBe("checks verified on 0.4.3-rc.4; for 0.8 by documentation and published types, never on a server");
  expect(restsOn(dialect, ["sharedAccess"])).toBeUndefined();
  expect(restsOn(dialect, ["keyOptional", "quotedCase"])).toBe(
    "not verified on a server of this version: whether a table may lack a primary key: by documentation of 0.8: tables; " +
      "whether quoted names keep their case: assumed from documentation of 0.8: namespaces, which says so of schemas only",
  );
  expect(unknownIn("0.8.0", {})).toEqual(["showCommands"]);
  expect(whyNotKnown(dialect, ["keyOptional", "showCommands"])).toBe(
    "not known for this version: whether SHOW and DESCRIBE are there",
  );
  expect(whyNotKnown(dialect, ["keyOptional"])).toBeUndefined();
});

test("other versions of 0.4 and before are taken to be like it, and findings say that", () => {
  for (const told of ["0.4.3-rc.5", "0.4.2", "0.3.1"]) {
    const { dialect, basis } = learn(told, {});
    expect(basis).toBe(`checks verified on 0.4.3-rc.4; ${told} is taken to be like it`);
    expect(restsOn(dialect, ["keyOptional"])).toContain("assumed from 0.4.3-rc.4");
  }
});

test.each([
  ["0.9.0", now, "this version is newer than any that is known (0.8)"],
  ["1.0.0", {}, "this version is newer than any that is known (0.8)"],
  ["0.6.2", {}, "nothing is known of versions between 0.4.3 and 0.8"],
  [undefined, {}, "the server tells no version, and answers like none that is known"],
  ["0.4.3-rc.4", now, "the server answers unlike 0.4.3: how shared tables are opened to other accounts (policies)"],
])("of version %s only what it showed is known", (told, signs, why) => {
  expect(learn(told, signs).basis).toBe(
    `checks verified on 0.4.3-rc.4; ${why}: checks that depend on that are unknown`,
  );
  expect(unknownIn(told, signs)).toEqual(fieldNames.filter((name) => !(name in signs)));
});

test("a server that tells no version is one that it answers like", () => {
  expect(learn(undefined, old).version).toBe("0.4.3");
  expect(learn(undefined, now).version).toBe("0.8");
  expect(learn(undefined, { sharedAccess: "policies" }).version).toBeUndefined();
  expect(learn(undefined, { ...old, cursor: "text" }).version).toBeUndefined();
});

test("no answer changes an expectation, and what was probed is as it was probed", () => {
  const sign = fc.record({
    sharedAccess: fc.option(fc.constantFrom("levels" as const, "policies" as const), { nil: undefined }),
    cursor: fc.option(fc.constantFrom("number" as const, "text" as const), { nil: undefined }),
    domain: fc.option(fc.constantFrom("none" as const, "inBatchControl" as const), { nil: undefined }),
  });
  const version = fc.constantFrom("0.4.3-rc.4", "0.8.0", "0.6.1", "0.9.0", undefined);
  fc.assert(
    fc.property(version, sign, (told, all) => {
      const signs = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Signs;
      const { dialect, version: taken } = learn(told, signs);
      for (const [name, value] of Object.entries(signs))
        expect(dialect[name as keyof Signs]).toEqual({ known: true, value, from: "probed" });
      const facts = knownVersions.find(({ name }) => name === taken)?.facts;
      for (const name of expectations) {
        const field = dialect[name];
        expect(field.known ? field.value : undefined).toEqual(facts?.[name]?.value);
      }
    }),
  );
});

test("the settings show how their names begin", () => {
  expect(signsOfSettings({ "auth.bcrypt_cost": "12" })).toEqual({ settingNames: "auth" });
  expect(signsOfSettings({ "auth.local.bcrypt_cost": "12", "auth.bcrypt_cost": "4" })).toEqual({
    settingNames: "auth.local",
  });
  expect(signsOfSettings({ "logging.level": "info" })).toEqual({});
});
