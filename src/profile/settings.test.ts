import { Option } from "commander";
import { expect, test } from "vitest";
import { profileSchema } from "./keys.ts";
import { flagName, helpText, outputSettings, runSettings, serverSettings, settings, type Setting } from "./settings.ts";

const all: readonly (readonly [string, Setting])[] = Object.entries(settings);

test("each setting has the name that commander gives its flag", () => {
  const flags = all.flatMap(([name, { flag }]) => (flag === undefined ? [] : [[name, flag] as const]));
  expect(flags.map(([, flag]) => new Option(flag).attributeName())).toEqual(flags.map(([name]) => name));
});

test("no flag, variable or key is there twice, and each setting has one of them", () => {
  for (const part of ["flag", "variable", "key"] as const) {
    const given = all.flatMap(([, setting]) => setting[part] ?? []);
    expect(given).toEqual([...new Set(given)]);
  }
  expect(all.filter(([, { flag, variable, key }]) => (flag ?? variable ?? key) === undefined)).toEqual([]);
});

test("every key of a profile is a setting, but its version", () => {
  const { properties } = profileSchema([]) as { properties: object };
  const keys = new Set(all.flatMap(([, { key }]) => key?.split(".")[0] ?? []));
  expect([...keys].toSorted()).toEqual(
    Object.keys(properties)
      .filter((key) => key !== "version")
      .toSorted(),
  );
});

test("every flag is in one group, or of check alone", () => {
  const grouped: readonly string[] = [...serverSettings, ...runSettings, ...outputSettings, "seed", "keep"];
  expect(grouped.toSorted()).toEqual(all.flatMap(([name, { flag }]) => (flag === undefined ? [] : [name])).toSorted());
});

test("the help names variable and default", () => {
  expect(flagName("profile")).toBe("--profile");
  expect(helpText(settings.effort)).toBe(
    "the size of the samples: light, standard, deep (KALAM_READY_EFFORT; default: standard)",
  );
  expect(helpText(settings.quiet)).toBe("nothing on stderr but errors");
});
