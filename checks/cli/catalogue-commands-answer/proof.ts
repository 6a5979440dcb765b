import { kalamFault } from "../../../src/faults/kalam.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { catalogueCommandsAnswer } from "./index.ts";

const names = [
  "DESCRIBE TABLE",
  "DESCRIBE",
  "DESCRIBE … HISTORY",
  "SHOW TABLES",
  "SHOW TABLES IN",
  "SHOW NAMESPACES",
  "SHOW STORAGES",
  "SHOW STATS",
  "SHOW MANIFEST",
];
const one = (command: string) => ({
  command,
  notOffered: false,
  unclear: false,
  ok: true,
  columns: 3,
  rows: 1,
  holds: true,
  outcome: "200 success",
  exchange: 1,
});
const asked = names.map(one);
const kalam: ReturnType<typeof one>[] | null = ["kalam \\dt", "kalam \\d", "kalam \\stats"].map(one);
const sound = { asked, kalam };
const having = (command: string, change: object) => ({
  ...sound,
  asked: asked.map((other) => (other.command === command ? { ...other, ...change } : other)),
});
const notOffered = { notOffered: true, ok: false, columns: 0, rows: 0, holds: false, outcome: "400 INVALID_SQL" };
const lists = (change: object) => ({
  ...sound,
  kalam: kalam.map((other, at) => (at === 0 ? { ...other, ...change } : other)),
});

export default proveCheck(catalogueCommandsAnswer, {
  holds: [sound, { ...sound, kalam: null }, having("SHOW MANIFEST", { rows: 0 }), having("SHOW STATS", notOffered)],
  cannotTell: [
    { ...sound, asked: [] },
    { ...sound, asked: asked.map((each) => ({ ...each, ...notOffered })) },
    { ...sound, asked: asked.slice(1) },
    { ...sound, kalam: [] },
    having("DESCRIBE", { unclear: true, ok: false, holds: false, outcome: "timeout" }),
    lists({ unclear: true, ok: false, holds: false, outcome: "still running after 30000 ms" }),
  ],
  breaks: {
    broken: {
      seen: having("SHOW TABLES IN", {
        ok: false,
        columns: 0,
        holds: false,
        outcome: "400 SQL_EXECUTION_ERROR: Arrow error",
      }),
      fault: changeRows("omitLastColumn", /^DESCRIBE \w+\.described$/, (rows) =>
        rows.filter((row) => row[0] !== "note"),
      ),
    },
    cutSilently: {
      seen: lists({ rows: 50, holds: false }),
      fault: kalamFault("listFiftyOtherTables", async ({ args }, kalamOf) => {
        if (!args.includes("\\dt")) return undefined;
        const outcome = await kalamOf();
        const schema = ["namespace", "table_name", "table_type"].map((name) => ({ name, data_type: "Text" }));
        const rows = Array.from({ length: 50 }, (_, at) => ["another", `t${at}`, "shared"]);
        return {
          ...outcome,
          stdout: JSON.stringify({ status: "success", results: [{ schema, rows, row_count: 50 }] }),
        };
      }),
    },
  },
});
