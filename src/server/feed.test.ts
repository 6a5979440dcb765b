import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cellText, isRecord, type Json, parseExact, writeExact } from "../wire/json.ts";
import { Feed, optionsOf, versionOf } from "./feed.ts";

type Message = { readonly [name: string]: Json };

interface Fed {
  readonly feed: Feed;
  readonly sent: string[];
  readonly turns: () => number;
  /** A frame comes, as text. */
  hear(text: string): void;
  end(why: string): void;
}

/** A subscription whose every message is answered with these frames, one list a message. */
function feed(answers: (message: string) => readonly string[] = () => [], withSnapshot = true): Fed {
  const sent: string[] = [];
  const waiting = new Set<() => void>();
  let turns = 0;
  let at = 0;
  const one = new Feed("q1", "SELECT 1", 7, withSnapshot, {
    send(text) {
      sent.push(text);
      for (const answer of answers(text)) hear(answer);
    },
    async turn() {
      turns += 1;
      await Promise.resolve();
    },
    // The connection's own wait, without a connection: looks at once and whenever something comes.
    wait: async (holds, withinMs) =>
      await new Promise((resolve) => {
        const leave = (held: boolean): void => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(held);
        };
        const look = (): void => {
          if (holds()) leave(true);
        };
        const timer = setTimeout(() => leave(holds()), withinMs);
        waiting.add(look);
        look();
      }),
  });
  function hear(text: string): void {
    const json = parseExact(text);
    const type = isRecord(json) ? cellText(json["type"]) : "";
    at += 1;
    one.take({ json, type, about: "q1", compressed: false, size: text.length, at });
    for (const look of waiting) look();
  }
  return {
    feed: one,
    sent,
    turns: () => turns,
    hear,
    end(why) {
      one.end(why);
      for (const look of waiting) look();
    },
  };
}

const ack = (more: Message = {}): string =>
  writeExact({ type: "subscription_ack", schema: [{ name: "id" }], batch_control: { has_more: true }, ...more });
const page = (rows: readonly Json[], control: Json = { has_more: false }): string =>
  writeExact({ type: "initial_data_batch", rows, batch_control: control });
const change = (kind: string, rows: Json, old: Json): string =>
  writeExact({ type: "change", change_type: kind, rows, old_values: old });

describe("beginning", () => {
  test("without options there is no snapshot to wait for", async () => {
    const { feed: one, hear, sent } = feed(undefined, false);
    hear(ack({ batch_control: null }));
    expect(await one.begin()).toEqual({ kind: "ready", rows: [], pages: [], at: 1 });
    expect(one.schema).toEqual([{ name: "id" }]);
    expect(sent).toEqual([]);
  });

  test("fetches page after page, each in its turn, and is ready when the last one came", async () => {
    const pages = [
      page(
        [
          { id: "3", _seq: "3" },
          { id: "2", _seq: "4" },
        ],
        { has_more: true },
      ),
      page([{ id: "9" }]),
    ];
    const { feed: one, hear, turns, sent } = feed(() => pages.splice(0, 1));
    hear(ack());
    hear(page([{ id: "1", _seq: "1" }], { has_more: true }));
    const begun = one.begin();
    // What changes meanwhile is not lost.
    hear(change("insert", [{ id: "5", _seq: "5" }], []));
    expect(await begun).toEqual({
      kind: "ready",
      rows: [{ id: "1", _seq: "1" }, { id: "3", _seq: "3" }, { id: "2", _seq: "4" }, { id: "9" }],
      pages: [
        [{ id: "1", _seq: "1" }],
        [
          { id: "3", _seq: "3" },
          { id: "2", _seq: "4" },
        ],
        [{ id: "9" }],
      ],
      at: 5,
    });
    expect(turns()).toBe(2);
    expect(sent.map((text) => (JSON.parse(text) as Message)["last_seq_id"])).toEqual([1, 4]);
    expect(one.changes).toMatchObject([{ kind: "insert", row: { id: "5" }, old: null, at: 3 }]);
    expect(await one.begin()).toBe(await begun);
  });

  test("a page without a word about others is the last, and readiness is when it came", async () => {
    const { feed: one, hear } = feed();
    hear(ack({ batch_control: { has_more: false } }));
    hear(writeExact({ type: "initial_data_batch", rows: [{ id: "1" }, "no row"] }));
    expect(await one.begin()).toEqual({ kind: "ready", rows: [{ id: "1" }], pages: [[{ id: "1" }]], at: 2 });
  });

  test("a refusal is one only before the acknowledgement; later errors are notices", async () => {
    const refused = feed();
    refused.hear('{"type":"error","code":"NOT_FOUND","message":"no such table"}');
    expect(await refused.feed.begin()).toEqual({ kind: "refused", code: "NOT_FOUND", message: "no such table" });
    const disturbed = feed();
    disturbed.hear(ack());
    disturbed.hear(page([]));
    disturbed.hear('{"type":"error","code":"CHANNEL_FULL","message":"slow"}');
    expect(await disturbed.feed.begin()).toMatchObject({ kind: "ready" });
    expect(disturbed.feed.notices).toEqual([{ code: "CHANNEL_FULL", message: "slow", at: 3 }]);
  });

  test("is unsure where nothing comes, where a page does not, and where no row tells how to go on", async () => {
    expect(await feed().feed.begin(1)).toEqual({ kind: "unsure", why: "neither acknowledged nor refused within 1 ms" });
    const stuck = feed(() => ['{"type":"error","code":"BAD_CURSOR","message":"no such batch"}']);
    stuck.hear(ack());
    stuck.hear(page([{ _seq: "1" }], { has_more: true }));
    expect(await stuck.feed.begin(30)).toEqual({
      kind: "unsure",
      why: "page 2 of the snapshot did not arrive within 30 ms; the server reported BAD_CURSOR no such batch",
    });
    const lost = feed();
    lost.hear(ack());
    lost.hear(page([{ id: "1" }], { has_more: true }));
    expect(await lost.feed.begin()).toEqual({
      kind: "unsure",
      why: "page 1 of the snapshot has no row version to continue from",
    });
    expect(lost.sent).toEqual([]);
  });

  test("leaves a snapshot that never ends, although its next page is always there", async () => {
    const endless = page([{ id: "1", _seq: "1" }], { has_more: true, last_seq_id: "1" });
    const { feed: one, hear } = feed(() => [endless]);
    hear(ack());
    hear(endless);
    expect(await one.begin(20)).toMatchObject({
      kind: "unsure",
      why: expect.stringContaining("did not end") as string,
    });
  });
});

describe("a cursor", () => {
  const digits = fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }).map(String);

  test("goes back in the digits and in the kind in which it came", async () => {
    await fc.assert(
      fc.asyncProperty(digits, fc.boolean(), async (version, bare) => {
        const written = bare ? version : `"${version}"`;
        const { feed: one, hear, sent } = feed(() => [page([])]);
        hear(ack());
        hear(
          `{"type":"initial_data_batch","rows":[{"id":"1","_seq":"3"}],"batch_control":{"has_more":true,"last_seq_id":${written}}}`,
        );
        expect(await one.begin()).toMatchObject({ kind: "ready" });
        expect(sent).toEqual([`{"type":"next_batch","subscription_id":"q1","last_seq_id":${written}}`]);
        // What is learnt from the server's cursor holds for the version to come back from.
        expect(writeExact(optionsOf({ from: one.lastVersion() ?? never() }))).toBe(
          bare ? '{"from":3}' : '{"from":"3"}',
        );
      }),
    );
  });

  test("of a server that gives none is the highest version of the page, bare for _seq and a string for _version", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(digits, { minLength: 1, maxLength: 8 }), fc.boolean(), async (versions, newer) => {
        const { feed: one, hear, sent } = feed(() => [page([])]);
        hear(ack());
        hear(
          page(
            versions.map((version) => ({ [newer ? "_version" : "_seq"]: version })),
            { has_more: true },
          ),
        );
        await one.begin();
        const highest = String(versions.map(BigInt).reduce((a, b) => (b > a ? b : a)));
        const cursor = newer ? `"${highest}"` : highest;
        expect(sent).toEqual([`{"type":"next_batch","subscription_id":"q1","last_seq_id":${cursor}}`]);
        expect(one.lastVersion()).toEqual({ digits: highest, bare: !newer });
      }),
    );
  });

  test("beyond 2^53 is exact among rows that are bare numbers, too", () => {
    const { feed: one, hear } = feed();
    hear('{"type":"change","change_type":"insert","rows":[{"_seq":9007199254740993},{"_seq":9007199254740992}]}');
    expect(one.lastVersion()).toEqual({ digits: "9007199254740993", bare: true });
  });

  test("is the highest of snapshot and changes, of what was deleted, too, and absent before any row", () => {
    const { feed: one, hear } = feed();
    expect(one.lastVersion()).toBeUndefined();
    hear(page([{ _seq: "5" }]));
    hear(change("insert", [{ _seq: "4" }], []));
    expect(one.lastVersion()).toEqual({ digits: "5", bare: true });
    hear(change("delete", [], [{ _seq: "6" }]));
    expect(one.lastVersion()).toEqual({ digits: "6", bare: true });
  });
});

test.each([
  ["at its top", { version_domain: { table_id: "a.b" } }],
  ["in batch_control", { batch_control: { has_more: false, version_domain: { table_id: "a.b" } } }],
])("an acknowledgement may have the version domain %s", (_, more) => {
  const { feed: one, hear } = feed();
  hear(ack(more));
  hear(page([{ id: "1" }]));
  expect(one.versionDomain).toEqual({ table_id: "a.b" });
});

test("the options say what was asked, with the version domain as the server told it", () => {
  const { feed: one, hear } = feed();
  hear(ack({ version_domain: { epoch: { exact: "9007199254740993" } } }));
  const options = optionsOf({
    lastRows: 3,
    batchSize: 2,
    from: { digits: "9007199254740993", bare: true },
    versionDomain: one.versionDomain ?? null,
    other: { odd: true },
  });
  expect(writeExact(options)).toBe(
    '{"last_rows":3,"batch_size":2,"from":9007199254740993,"version_domain":{"epoch":9007199254740993},"odd":true}',
  );
  expect(writeExact(optionsOf({}))).toBe("{}");
});

test("a change frame has as many changes as rows or old values, whatever else it has", () => {
  const { feed: one, hear } = feed();
  hear(change("update", [{ id: "1" }, { id: "2" }], [{ id: "1", was: "a" }]));
  hear(change("delete", null, [{ id: "3" }]));
  hear('{"type":"change"}');
  hear(change("insert", ["no row"], "no list"));
  expect(one.changes.map(({ kind, row, old }) => [kind, row, old])).toEqual([
    ["update", { id: "1" }, { id: "1", was: "a" }],
    ["update", { id: "2" }, null],
    ["delete", null, { id: "3" }],
    ["insert", null, null],
  ]);
});

test("waits for a change that has come, that will come, and not beyond the end", async () => {
  const { feed: one, hear, end, sent } = feed();
  hear(change("insert", [{ id: "1" }], []));
  expect(await one.untilChange(({ row }) => row?.["id"] === "1", 600_000)).toBe(one.changes[0]);
  const second = one.untilChange(({ row }) => row?.["id"] === "2", 600_000);
  hear(change("insert", [{ id: "2" }], []));
  expect(await second).toBe(one.changes[1]);
  expect(await one.untilChange(() => false, 1)).toBeUndefined();
  const third = one.untilChange(() => false, 600_000);
  end("the connection was closed with 1006");
  expect(await third).toBeUndefined();
  end("another end");
  expect(await one.begin(1)).toEqual({ kind: "unsure", why: "the connection was closed with 1006" });
  one.unsubscribe();
  expect(sent).toEqual(['{"type":"unsubscribe","subscription_id":"q1"}']);
});

test("the version of a row is its _seq, or its _version, or unknown", () => {
  expect([
    versionOf({ _seq: "1", _version: "2" }),
    versionOf({ _version: "2" }),
    versionOf({ _seq: 3 }),
    versionOf({ _seq: "x" }),
  ]).toEqual([
    { digits: "1", column: "_seq" },
    { digits: "2", column: "_version" },
    { digits: "3", column: "_seq" },
    undefined,
  ]);
});

function never(): never {
  throw new Error("no version was seen");
}
