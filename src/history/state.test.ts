import fc from "fast-check";
import { expect, test } from "vitest";
import { cellText } from "../wire/json.ts";
import { differenceOf, foldChanges, isSame, type StateRow } from "./state.ts";

const row = (id: number, v: number | null): StateRow => ({ id: String(id), v });
const operations = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 8 }), v: fc.option(fc.nat()), remove: fc.boolean() }),
  { maxLength: 60 },
);

/** A table's life, the changes that make it up, and a point where a subscriber may have joined. */
const lives = fc.tuple(operations, fc.nat()).map(([steps, pick]) => {
  const table = new Map<number, StateRow>();
  const cut = steps.length === 0 ? 0 : pick % (steps.length + 1);
  let snapshot: StateRow[] = [];
  const changes = steps.flatMap(({ id, v, remove }, at) => {
    if (at === cut) snapshot = [...table.values()];
    const before = table.get(id);
    if (remove && before === undefined) return [];
    if (remove) table.delete(id);
    else table.set(id, row(id, v));
    // A change leaves NULL columns out.
    const now: StateRow = v === null ? { id: String(id) } : row(id, v);
    return at < cut
      ? []
      : [
          {
            kind: remove ? "delete" : before === undefined ? "insert" : "update",
            row: remove ? null : now,
            old: before ?? null,
          },
        ];
  });
  if (cut === steps.length) snapshot = [...table.values()];
  return { snapshot, changes, table: [...table.values()] };
});

test("a snapshot and every change after it make the table, wherever the subscriber came in", () => {
  fc.assert(
    fc.property(lives, ({ snapshot, changes, table }) => {
      expect(isSame(differenceOf("id", foldChanges("id", snapshot, changes), table))).toBe(true);
    }),
  );
});

test("the last change of a key left out is a difference, and named by its key", () => {
  fc.assert(
    fc.property(lives, ({ snapshot, changes, table }) => {
      const last = changes.at(-1);
      fc.pre(last !== undefined);
      const before = foldChanges("id", snapshot, changes.slice(0, -1));
      const difference = differenceOf("id", before, table);
      const key = cellText((last.row ?? last.old)?.["id"]);
      // A row that was set to what it was already is no difference.
      if (!isSame(difference))
        expect([...difference.missing, ...difference.ghosts, ...difference.stale]).toEqual([key]);
      else expect(last.kind).toBe("update");
    }),
  );
});

test("one row less, one too many or one with another content is named as just that", () => {
  fc.assert(
    fc.property(lives, fc.nat(), ({ table }, pick) => {
      const believed = foldChanges("id", table, []);
      const victim = table[pick % Math.max(1, table.length)];
      fc.pre(victim !== undefined);
      const key = cellText(victim["id"]);
      const nothing = { missing: [], ghosts: [], stale: [] };
      const without = new Map([...believed].filter(([other]) => other !== key));
      expect(differenceOf("id", without, table)).toEqual({ ...nothing, missing: [key] });
      expect(differenceOf("id", new Map([...believed, ["99", row(99, 1)]]), table)).toEqual({
        ...nothing,
        ghosts: ["99"],
      });
      expect(differenceOf("id", new Map([...believed, [key, { ...victim, v: -1 }]]), table)).toEqual({
        ...nothing,
        stale: [key],
      });
    }),
  );
});

test("an event that comes twice in a row leaves the picture as it was", () => {
  fc.assert(
    fc.property(lives, fc.nat(), ({ snapshot, changes, table }, pick) => {
      const at = pick % Math.max(1, changes.length);
      const twice = changes.flatMap((change, n) => (n === at ? [change, change] : [change]));
      expect(isSame(differenceOf("id", foldChanges("id", snapshot, twice), table))).toBe(true);
    }),
  );
});

test("a key that is a number is the same as its text, however it was written", () => {
  const believed = foldChanges("id", [{ id: 1, v: 2 }], [{ kind: "delete", row: null, old: { id: "1" } }]);
  expect([...believed]).toEqual([]);
});
