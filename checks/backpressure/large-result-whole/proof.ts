import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { largeResultWhole } from "./index.ts";
import type { Walk } from "./pages.ts";

const walk = (way: Walk["way"], change: Partial<Walk> = {}): Walk => ({
  way,
  of: 1_200,
  pages: 3,
  ended: null,
  missing: [],
  missingCount: 0,
  doubled: [],
  doubledCount: 0,
  unordered: null,
  exchanges: [1, 2, 3],
  ...change,
});
const walks = [walk("with one LIMIT", { of: 200, pages: 1 }), walk("in pages upwards"), walk("in pages downwards")];
const sound = { rows: 1_200, written: [yes(), yes()], unflushed: null as string | null, walks };
const last = (change: Partial<Walk>) => ({
  ...sound,
  walks: [...walks.slice(0, 2), walk("in pages downwards", change)],
});

const later = /^SELECT id, v FROM \S+\.results WHERE id > -?\d+ ORDER BY id LIMIT 500/;

export default proveCheck(largeResultWhole, {
  holds: [sound],
  cannotTell: [
    { ...sound, written: [] },
    { ...last({ missing: [7], missingCount: 1 }), written: [yes(), nothing()] },
    { ...sound, unflushed: "no row is listed in cold storage" },
    { ...sound, walks: walks.slice(1) },
    { ...sound, rows: 500 },
    last({ ended: "timeout", missing: [7], missingCount: 600 }),
  ],
  breaks: {
    missing: {
      seen: last({ missing: [7], missingCount: 1 }),
      fault: changeRows("loseTheRowAtThePageBoundary", later, (rows) => rows.slice(1)),
    },
    doubled: {
      seen: last({ doubled: [7], doubledCount: 1 }),
      // From hot and from cold storage.
      fault: changeRows("returnOneRowTwice", later, (rows) => [...rows.slice(0, 1), ...rows]),
    },
    unordered: {
      seen: last({ unordered: [9, 7] }),
      // Hot after cold, instead of merged: two rows change places.
      fault: changeRows("mergeWrongly", /^SELECT id, v FROM \S+\.results ORDER BY id LIMIT 200/, (rows) => [
        ...rows.slice(0, 150),
        ...rows.slice(150, 152).toReversed(),
        ...rows.slice(152),
      ]),
    },
  },
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  missing: [
    changeRows("cutAt199", /^SELECT id, v FROM \S+\.results ORDER BY id LIMIT 200/, (rows) => rows.slice(0, 199)),
    changeRows("loseTheLastRow", /^SELECT id, v FROM \S+\.results WHERE id < -?\d+ ORDER BY id DESC/, (rows) =>
      rows.length < 500 ? rows.slice(0, -1) : undefined,
    ),
  ],
};
