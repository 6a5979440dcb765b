import { expect, test } from "vitest";
import { cellText, type Target } from "../../../src/server/target.ts";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { longTextExact } from "./index.ts";

/** Where in the observation a text is read. */
type Read = { readonly id: number; readonly look: number; readonly text: string };

interface Server {
  readonly keep?: (id: number, text: string) => string | undefined;
  readonly read?: (at: Read) => string | null;
  readonly change?: (sql: string) => Reply;
  readonly limit?: number;
  readonly direct?: boolean;
}

/** A server that refuses texts above a megabyte, unless told otherwise. */
async function verdictOn({ keep, read, change, limit = 999_999, direct = true }: Server): Promise<string[]> {
  const stored = new Map<number, string>();
  const looks = new Map<number, number>();
  const server = scripted(
    (sql, params) => {
      const said = change?.(sql);
      if (said !== undefined) return said;
      if (sql === "SELECT 1 AS one") return { columns: ["one"], rows: [[1]] };
      const [, written = "", literal] = /VALUES \((\d+), (?:'(.*)'|\$1)\)$/s.exec(sql) ?? [];
      if (written !== "") {
        const text = literal === undefined ? cellText(params[0]) : literal.replaceAll("''", "'");
        if (Buffer.byteLength(text) > limit) return "refused";
        const kept = keep === undefined ? text : keep(Number(written), text);
        if (kept !== undefined) stored.set(Number(written), kept);
        return "done";
      }
      const [, asked = ""] = /^SELECT v FROM \S+ WHERE id = (\d+) /.exec(sql) ?? [];
      if (asked === "") return undefined;
      const id = Number(asked);
      const text = stored.get(id);
      looks.set(id, (looks.get(id) ?? 0) + 1);
      if (text === undefined) return { columns: ["v"], rows: [] };
      const got = read === undefined ? text : read({ id, look: looks.get(id) ?? 0, text });
      return got === "lost" ? got : { columns: ["v"], rows: got === null ? [] : [[got]] };
    },
    (direct ? { control: {} } : {}) as Partial<Target>,
  );
  return judged(longTextExact, await observed(longTextExact, server));
}

const cases = [
  "10000 bytes as a literal",
  "10000 bytes as a parameter",
  "100000 bytes as a literal",
  "100000 bytes as a parameter",
];

test("four texts are kept, and two that are too long are refused", async () => {
  expect(await verdictOn({})).toEqual([
    "pass: 4 texts of up to 100000 bytes are identical immediately and after a flush; 2 of 2 longer ones were refused, the others stored exactly",
  ]);
  expect(await verdictOn({ limit: 1_200_000 })).toEqual([expect.stringContaining("1 of 2 longer ones were refused")]);
});

test.each(cases.map((name, id) => [id, name] as const))(
  "text %i, %s, is read before and after the flush",
  async (id, name) => {
    for (const [look, when] of [
      [1, ""],
      [2, " after a flush"],
    ] as const) {
      const on = (change: (text: string) => string | null) => async (): Promise<string[]> =>
        await verdictOn({ read: (at) => (at.id === id && at.look === look ? change(at.text) : at.text) });
      const found = (finding: string): unknown[] => [
        expect.stringMatching(new RegExp(`^${finding}: ${name}: .*"when":"${when}"`)),
      ];
      expect(await on((text) => `${text.slice(0, -1)}?`)()).toEqual(found("changed"));
      expect(await on((text) => text.slice(0, -1))()).toEqual(found("cutShort"));
      expect(await on(() => null)()).toEqual(found("lost"));
      expect(await on(() => "lost")()).toEqual([`unknown: ${name}: it could not be read back`]);
    }
    expect(await verdictOn({ keep: (at, text) => (at === id ? undefined : text) })).toEqual([
      expect.stringMatching(new RegExp(`^lost: ${name}: `)),
    ]);
  },
);

test("a text that is too long and accepted must be there", async () => {
  const over = "1500000 bytes as a literal";
  const keep = (change: (text: string) => string | undefined) => async (): Promise<string[]> =>
    await verdictOn({ limit: 9e6, keep: (id, text) => (id === 100 ? change(text) : text) });
  expect(await keep((text) => text)()).toEqual([expect.stringContaining("; 0 of 2 longer ones were refused")]);
  expect(await keep(() => undefined)()).toEqual([
    expect.stringMatching(new RegExp(`^overAccepted: ${over}: .*"stored":"its row is missing"`)),
  ]);
  expect(await keep((text) => text.slice(0, 99))()).toEqual([
    expect.stringMatching(/^overAccepted: .*read back with \d+ b/),
  ]);
  expect(await verdictOn({ limit: 9e6, read: ({ id, text }) => (id === 100 ? "lost" : text) })).toEqual([
    `unknown: ${over}: it was accepted, and could not be read back`,
  ]);
});

test("what was not answered is tried again, and a timeout is no lost connection", async () => {
  let asked = 0;
  const next = async (times: number, said: Reply): Promise<string[]> => {
    asked = 0;
    return await verdictOn({
      change: (sql) => (sql === "SELECT 1 AS one" && (asked += 1) <= times ? said : undefined),
    });
  };
  expect(await next(1, "lost")).toEqual([expect.stringMatching(/^pass/)]);
  expect(await next(2, "lost")).toEqual([expect.stringMatching(/^pass/)]);
  const write = (times: number) => async (): Promise<string[]> => {
    asked = 0;
    return await verdictOn({
      change: (sql) => (/^INSERT .*VALUES \([12]00, /s.test(sql) && (asked += 1) <= times ? "lost" : undefined),
    });
  };
  expect(await write(1)()).toEqual([expect.stringMatching(/^pass/)]);
  // What was sent again has another key.
  asked = 0;
  const kept = await verdictOn({
    limit: 9e6,
    change: (sql) => (/^INSERT .*VALUES \(100, /s.test(sql) && (asked += 1) === 1 ? "lost" : undefined),
  });
  expect(kept).toEqual([expect.stringContaining("; 0 of 2 longer ones were refused")]);
  expect(await write(2)()).toEqual(["unknown: 1500000 bytes as a literal: no answer"]);
});

test("what was not written or flushed is unknown", async () => {
  const on = async (pattern: RegExp, said: Reply): Promise<string[]> =>
    await verdictOn({ change: (sql) => (pattern.test(sql) ? said : undefined) });
  for (const said of ["lost", "refused"] as const)
    expect(await on(/^INSERT .*VALUES \(2, /s, said)).toEqual([
      `unknown: 100000 bytes as a literal: not stored: ${said === "lost" ? "no answer" : "no"}`,
    ]);
  expect(await on(/^STORAGE FLUSH/, "refused")).toEqual([
    expect.stringMatching(/^unknown: not all texts are known to/),
  ]);
  expect(await on(/system\.manifest/, { columns: ["scope", "manifest_json"], rows: [] })).toEqual([
    "unknown: not all texts are known to have been flushed: no row is listed in cold storage",
  ]);
});
