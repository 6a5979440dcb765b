import { changeRows, refuseIt, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { cases, upsertAndReturningExact } from "./index.ts";

const tried = ["USER", "SHARED"].flatMap((type) =>
  cases.map(({ name, returns, rows }) => ({
    type,
    case: name,
    said: yes(),
    returned: returns,
    rows: rows as readonly (readonly string[])[] | null,
  })),
);
const sound = { tried };
const withCase = (name: string, change: Partial<(typeof tried)[number]>) => ({
  tried: tried.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

export default proveCheck(upsertAndReturningExact, {
  holds: [
    sound,
    withCase("RETURNING of several rows", {
      returned: [
        ["30", "3"],
        ["20", "2"],
      ],
    }),
  ],
  cannotTell: [
    { tried: tried.slice(1) },
    withCase("RETURNING", { said: nothing() }),
    withCase("RETURNING", { rows: null }),
    withCase("DO NOTHING", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    withCase("DO NOTHING", { said: no("PERMISSION_DENIED", "denied", "permission", 403) }),
  ],
  breaks: {
    wrongRows: {
      seen: withCase("upsert of an existing row", { rows: [["1", "new", "99"]] }),
      // As a server that replaces the row instead of updating what is assigned.
      fault: sendInstead(
        "replaceTheWholeRow",
        /VALUES \(1, 'new', 99\) ON CONFLICT \(id\) DO UPDATE SET v = EXCLUDED.v$/,
        (sql) => `${sql}, n = EXCLUDED.n`,
      ),
      case: "upsert of an existing row",
    },
    wrongReturned: {
      seen: withCase("DO NOTHING with RETURNING", { returned: [["1"], ["2"]] }),
      fault: changeRows("returnWhatWasSent", /ON CONFLICT \(id\) DO NOTHING RETURNING id/, () => [["1"], ["2"]]),
    },
    refused: {
      seen: withCase("upsert of both", { said: no("SQL_EXECUTION_ERROR", "Insert-on clause not supported", "rule") }),
      fault: refuseIt("doWithoutDoNothing", /DO NOTHING$/),
    },
  },
});
