import { expect, test } from "vitest";
import { isPublic, mustKnowVariables } from "./variables.ts";

test.each([
  ["KALAM_READY_PASWORD", "KALAM_READY_PASSWORD"],
  ["KALAM_READY_PASS", "KALAM_READY_PASSWORD"],
  ["KALAM_READY_MAXRPS", "KALAM_READY_MAX_RPS"],
  ["KALAM_READY_STATES", "KALAM_READY_STATE"],
])("%s is an error that suggests %s", (wrong, right) => {
  expect(() => mustKnowVariables({ [wrong]: "" })).toThrow(
    `unknown environment variable ${wrong}; did you mean "${right}"?`,
  );
});

test("one that resembles none is an error, too", () => {
  expect(() => mustKnowVariables({ KALAM_READY_XYZZY_QUUX: "1" })).toThrow(/KALAM_READY_XYZZY_QUUX$/);
});

test("known variables, those of others and those of Kubernetes are none", () => {
  const ofOthers = ["PATH", "KALAM_BIN", "KALAMDB_SERVER_BIN", "KALAM_URL", "MY_KALAM_READY_X"];
  const known = ["KALAM_READY_URL", "KALAM_READY_TOKEN", "KALAM_READY_STATE", "KALAM_READY_PROFILE"];
  const ofKubernetes = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR"];
  const names = [...ofOthers, ...known, ...ofKubernetes.map((name) => `KALAM_READY_${name}`)];
  const environment = Object.fromEntries(names.map((name) => [name, "x"]));
  expect(() => mustKnowVariables(environment)).not.toThrow();
});

test("passwords and tokens are not public, nor is what is not ours", () => {
  const names = [
    "KALAM_READY_URL",
    "KALAM_READY_USER",
    "KALAM_READY_PASSWORD",
    "KALAM_READY_TOKEN",
    "HOME",
    "KALAM_BIN",
  ];
  expect(names.filter(isPublic)).toEqual(["KALAM_READY_URL", "KALAM_READY_USER"]);
});
