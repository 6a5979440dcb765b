import { changeResult, changeRows, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import type { Json } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { catalogueColumnsStable } from "./index.ts";

const closed = no("PERMISSION_DENIED", "System tables require dba", "permission", 403);
const views = ["users", "tables", "jobs", "live", "stats", "settings"].map((view) => ({
  view,
  said: yes(),
  missing: [] as string[],
  asUser: closed,
}));
const sound = { views, shown: [] as string[], looked: true, lookedIn: [1, 2] };
const first = (change: object) => ({
  ...sound,
  views: views.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});

export default proveCheck(catalogueColumnsStable, {
  holds: [sound],
  cannotTell: [
    first({ said: nothing() }),
    first({ asUser: nothing() }),
    first({ asUser: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    { ...sound, looked: false },
    { ...sound, views: views.slice(1) },
  ],
  breaks: {
    columnMissing: {
      seen: first({ missing: ["role"] }),
      fault: changeResult("renameAColumn", /^SELECT \* FROM system\.jobs LIMIT 1$/, (result) => ({
        ...result,
        schema: (result["schema"] as readonly { readonly name: string }[]).map((column) =>
          column.name === "job_type" ? { ...column, name: "kind" } : column,
        ) as unknown as Json,
      })),
    },
    secretShown: {
      seen: { ...sound, shown: ["system.settings, auth.jwt_secret,"] },
      fault: changeRows("showASecret", /FROM system\.settings LIMIT 1000/, (rows) => [
        ...rows,
        ["auth.jwt_secret", "not-so-secret-any-more"],
      ]),
    },
    openToUsers: {
      seen: first({ asUser: yes() }),
      fault: sqlFault("openAViewToUsers", async (sql, _, exchange) => {
        const said = sql.endsWith("system.stats LIMIT 1") ? await exchange() : undefined;
        if (said?.status !== 403) return undefined;
        return {
          status: 200,
          body: {
            status: "success",
            results: [{ schema: [{ name: "metric_name", data_type: "Text", index: 0 }], rows: [], row_count: 0 }],
            took: 1,
          },
        };
      }),
    },
  },
});
