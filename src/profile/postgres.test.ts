import { expect, test } from "vitest";
import { postgresPlace } from "./postgres.ts";

test.for<[string, unknown]>([
  ["127.0.0.1:5432", { value: { host: "127.0.0.1", port: 5432 } }],
  ["db-1.example.com:6432", { value: { host: "db-1.example.com", port: 6432 } }],
  ["[fd00::5]:5432", { value: { host: "fd00::5", port: 5432 } }],
  ["none", { value: "none" }],
  ["", { code: "notAPlace" }],
  ["5432", { code: "notAPlace" }],
  [":5432", { code: "notAPlace" }],
  ["db", { code: "notAPlace" }],
  ["db:0", { code: "notAPlace" }],
  ["db:65536", { code: "notAPlace" }],
  ["fd00::5:5432", { code: "notAPlace" }],
  ["ann:secret@db:5432", { code: "notAPlace" }],
  ["postgres://db:5432", { code: "notAPlace" }],
])("%j", ([text, expected]) => {
  expect(postgresPlace.parse(text)).toEqual(expected);
});
