import { expect, test } from "vitest";
import { readRequest } from "./request.ts";

const subscribe = (fields: object): string =>
  JSON.stringify({ type: "subscribe", subscription: { id: "a", sql: "SELECT 1", ...fields } });

test.each([
  [`{"type":"next_batch","subscription_id":385262928590274560}`, "integer `385262928590274560`"],
  [`{"type":"next_batch","subscription_id":7}`, "integer `7`"],
  [`{"type":"next_batch","subscription_id":1.5}`, "number 1.5"],
  [`{"type":"next_batch","subscription_id":["x"]}`, 'sequence ["x"]'],
  [subscribe({ sql: { a: 1 } }), 'object {"a":1}'],
])("a value of another type is named as it was sent: %s", (text, named) => {
  expect(() => readRequest(text)).toThrow(`invalid type: ${named}, expected a string`);
});
