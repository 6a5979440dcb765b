import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Output, type OutputFlags } from "./output.ts";

const isTerminal = (yes: boolean): void =>
  void Object.defineProperties(process.stderr, {
    isTTY: { value: yes, configurable: true },
    columns: { value: 40, configurable: true },
  });

let written = "";
const original = { isTTY: process.stderr.isTTY, columns: process.stderr.columns };
beforeEach(() => {
  written = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const [name, value] of Object.entries(original))
    Object.defineProperty(process.stderr, name, { value, configurable: true, writable: true });
});

test.for<[boolean, OutputFlags, NodeJS.ProcessEnv, "line" | "log" | "none"]>([
  [true, {}, {}, "line"],
  [true, {}, { CI: "" }, "line"],
  [true, {}, { CI: "false" }, "line"],
  [true, {}, { CI: "true" }, "log"],
  [true, {}, { CI: "1" }, "log"],
  [true, {}, { TERM: "dumb" }, "log"],
  [false, {}, {}, "log"],
  [true, { quiet: true }, {}, "none"],
  [false, { progress: false }, {}, "none"],
])("progress (terminal: %j, %j, %j) is shown as %s", ([terminal, flags, environment, form]) => {
  isTerminal(terminal);
  expect(new Output(flags, environment).progressForm).toBe(form);
});

describe("the progress line", () => {
  test("is rewritten in place, and never wider than the terminal", () => {
    isTerminal(true);
    const output = new Output({}, {});
    output.progress("short");
    output.progress(`3 of 84 checks; running ${"x".repeat(100)}`);
    const lines = written.split("\r\u001b[K");
    expect(lines.slice(0, 2)).toEqual(["", "short"]);
    expect(lines[2]).toMatch(/^3 of 84 checks; running x+\.\.\.$/);
    expect(lines[2]).toHaveLength(39);
  });

  test("gives way to a line that stays", () => {
    isTerminal(true);
    const output = new Output({}, {});
    output.progress("3 of 84 checks");
    output.tellLine("one\nREADY");
    expect(written).toBe("\r\u001b[K3 of 84 checks\r\u001b[Kone READY\n");
  });

  test("does not exist in a pipeline", () => {
    isTerminal(true);
    new Output({}, { CI: "true" }).progress("3 of 84 checks");
    isTerminal(false);
    new Output({}, {}).progress("3 of 84 checks");
    expect(written).toBe("");
  });
});
