import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  onlyRow,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Answer,
  type Said,
  truncated,
} from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { secretsIn } from "./secrets.ts";

/** Each storage check writes and deletes a file, so only this many are run. */
const checkedMax = 5;
const abilities = ["readable", "writable", "listable", "deletable"];

type Checked = {
  readonly storage: string;
  readonly said: Said;
  readonly status: string;
  /** What the storage reports that it cannot do. */
  readonly unable: readonly string[];
  readonly error: string;
};

export const storagesHealthy = defineCheck({
  id: "observability/storages-healthy",
  title: "Storages are listed and healthy, and no secret is shown",
  failureTitle: "A storage is unhealthy or unlisted, or a secret is shown",
  description: `Creates a table, reads which storage it uses and compares system.storages with SHOW STORAGES. Runs STORAGE CHECK, which writes, reads, lists and deletes a small file, on each storage (at most ${checkedMax}); each must be healthy. A storage that does not exist must not be reported as healthy. No row may contain a key or password.`,
  blindTo: "Free space is not checked; secrets are recognised by the names of their fields only.",
  risk: "Flushes and backups fail, unnoticed until the data is needed.",
  remedy: "Read the error of STORAGE CHECK <storage> EXTENDED; check the folder's permissions and free space.",
  covers: ["OBS-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 6 + checkedMax,
  findings: {
    unhealthy: {
      say: (d: { storage: string; status: string; unable: readonly string[]; error: string }) =>
        `STORAGE CHECK ${d.storage} reports ${d.status}${d.unable.length === 0 ? "" : `, not ${d.unable.join(", not ")}`}${d.error === "" ? "" : `: ${d.error}`}`,
    },
    missing: {
      say: (d: { storage: string; where: string }) => `${d.where} does not list the storage ${d.storage}`,
      risk: "A storage that is not listed is left out of monitoring and backups.",
      remedy: "Compare system.storages with SHOW STORAGES; restart the server to rebuild the lists.",
    },
    secretShown: {
      say: (d: { storage: string; what: string }) =>
        `system.storages shows the ${d.what} of ${d.storage} in clear text`,
      risk: "Everyone who can read the catalogue can read and write the bucket.",
      remedy: "Restrict access to system.storages and rotate the key.",
    },
    alwaysHealthy: {
      say: (d: { storage: string }) => `STORAGE CHECK reports ${d.storage} as healthy, but there is no such storage`,
      risk: "The storage check says nothing: a broken storage would be reported as healthy too.",
      remedy: "Monitor the storage itself instead of STORAGE CHECK.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    await makeTable(target, context, op, `${scratch}.stored`, { type: "SHARED", columns: "id BIGINT PRIMARY KEY" });
    const listedTable = onlyRow(
      await target.sql(op, `SELECT storage_id FROM system.tables WHERE namespace_id = '${scratch}' LIMIT 2`),
    );
    const ofTable = context.need(
      cellText(listedTable?.["storage_id"] ?? "") || null,
      "system.tables does not show the storage of a table",
    );
    const view = await target.sql(op, "SELECT * FROM system.storages ORDER BY storage_id LIMIT 100");
    const shown = await target.sql(op, "SHOW STORAGES");
    const listed = idsIn(view);
    const checked: Checked[] = [];
    for (const storage of (listed ?? []).slice(0, checkedMax)) {
      const answer = await target.sql(op, `STORAGE CHECK ${storage}`);
      const row = rowsOf(answer)?.[0];
      checked.push({
        storage,
        said: saidOf(answer),
        status: statusIn(answer),
        unable: abilities.filter((ability) => row?.[ability] === false),
        error: truncated(cellText(row?.["error"] ?? ""), 200),
      });
    }
    const absent = `${scratch}_nowhere`;
    const bogus = await target.sql(op, `STORAGE CHECK ${absent}`);
    return {
      ofTable,
      listed,
      inShow: idsIn(shown),
      said: [saidOf(view), saidOf(shown)],
      secrets: (rowsOf(view) ?? []).flatMap((row) =>
        secretsIn(row).map((what) => ({ storage: cellText(row["storage_id"]), what })),
      ),
      checked,
      bogus: { storage: absent, said: saidOf(bogus), status: statusIn(bogus) },
    };
  },
  judge({ ofTable, listed, inShow, said, secrets, checked, bogus }, { found }) {
    const expected = new Set([ofTable, ...(listed ?? []), ...(inShow ?? [])]);
    for (const [where, some] of [
      ["system.storages", listed],
      ["SHOW STORAGES", inShow],
    ] as const)
      for (const storage of some === null ? [] : expected)
        if (some?.includes(storage) === false) found.missing({ storage, where }, { case: storage, sent: said });
    for (const secret of secrets) found.secretShown(secret, { case: secret.storage, sent: said });
    for (const { storage, status, unable, error, said: answer } of checked)
      if (answer.kind === "ok" && (status !== "healthy" || unable.length > 0))
        found.unhealthy(
          { storage, status: status === "" ? "nothing" : status, unable, error },
          { case: storage, sent: answer },
        );
    if (bogus.said.kind === "ok" && bogus.status === "healthy")
      found.alwaysHealthy({ storage: bogus.storage }, { sent: bogus.said });

    if (listed === null || inShow === null)
      return unknown(`the storages could not be listed: ${said.find(({ kind }) => kind !== "ok")?.message ?? ""}`);
    const unanswered = checked.find((one) => one.said.kind !== "ok");
    if (unanswered !== undefined)
      return unknown(`STORAGE CHECK ${unanswered.storage} was not answered: ${unanswered.said.message}`);
    if (checked.length === 0) return unknown("no storage could be checked");
    if (bogus.said.kind !== "ok" && !isCleanRefusal(bogus.said))
      return unknown(`STORAGE CHECK of a storage that does not exist was not answered: ${bogus.said.message}`);
    return pass(
      `${checked.length} of ${listed.length} storages checked, all healthy; ours is ${ofTable}; no secret in ${listed.length} rows`,
    );
  },
});

function idsIn(answer: Answer): string[] | null {
  return (
    rowsOf(answer)
      ?.map((row) => cellText(row["storage_id"]))
      .toSorted() ?? null
  );
}

function statusIn(answer: Answer): string {
  return cellText(rowsOf(answer)?.[0]?.["status"] ?? "").toLowerCase();
}
