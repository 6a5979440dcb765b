/** What is in the table before the subscription, and what happens while it is open. */
import type { PlannedWrite } from "../../vocabulary/operations.ts";

export const early: readonly PlannedWrite[] = [
  { kind: "insert", key: "1", values: { mark: "one", n: 1, note: null } },
  { kind: "insert", key: "2", values: { mark: "two", n: 2, note: "early" } },
  { kind: "insert", key: "3", values: { mark: "three", n: null, note: "it's" } },
];

/** One statement a line, each mark once. A delete has the values that were there. */
export const steps: readonly PlannedWrite[] = [
  { kind: "insert", key: "100", values: { mark: "new", n: 1, note: "x" } },
  { kind: "update", key: "100", values: { mark: "changed", n: 2, note: "x" } },
  { kind: "update", key: "100", values: { mark: "emptied", n: 2, note: null } },
  { kind: "update", key: "2", values: { mark: "two again", n: 3, note: "early" } },
  { kind: "delete", key: "100", values: { mark: "emptied", n: 2, note: null } },
  { kind: "delete", key: "3", values: { mark: "three", n: null, note: "it's" } },
];

/** Written last of all: where its event has arrived, an event that is not there will not come. */
export const fence: PlannedWrite = { kind: "insert", key: "999", values: { mark: "fence", n: 0, note: "" } };
