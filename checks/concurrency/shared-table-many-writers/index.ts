import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Operation } from "../../../src/history/history.ts";
import { overlapOf } from "../../../src/history/overlap.ts";
import { judgeSet } from "../../../src/history/set.ts";
import { cellText, saidOf, type Said, truncated } from "../../../src/server/target.ts";
import {
  connectAll,
  countOutcomes,
  exchangesOf,
  makeWorkload,
  sampleOf,
  spreadOver,
  together,
} from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";

const serviceCount = 5;
const userCount = 5;
const overlapMin = 3;

type Attempt = { readonly user: number; readonly said: Said };

type Seen = {
  /** Of the services: inserts with their author, and the operator's read at the end. */
  readonly operations: readonly Operation[];
  /** Inserts that users tried at the same time. */
  readonly attempts: readonly Attempt[];
  /** What each user read at the end: rows per author; null if the read was not answered with rows. */
  readonly views: readonly { readonly said: Said; readonly keys: readonly string[] | null }[];
};

export const sharedTableManyWriters = defineCheck({
  id: "concurrency/shared-table-many-writers",
  title: "Services write a shared table at once, users only read it",
  failureTitle: "A shared table loses rows, lets users write or hides rows",
  description: `${serviceCount} service accounts insert rows into one PUBLIC SHARED table, while ${userCount} plain users try the same. Every acknowledged row must be there with its author's name; the users' inserts must be rejected for missing privileges and leave nothing, and every user must be able to read all rows.`,
  blindTo: "One access level; validation/shared-access-levels-hold tries the others.",
  risk: "Rows of one service are lost or attributed to another, or anyone can write reference data.",
  remedy:
    "Look at the ACCESS_LEVEL and the policies of your shared tables, and at which role each program logs in with.",
  covers: ["CON-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 70,
  from: { effort: "standard", needs: "many clients that write at once" },
  findings: {
    lostRows: {
      say: (d: { lost: number; of: number; keys: readonly string[] }) =>
        `${d.lost} of ${d.of} acknowledged rows are missing or have another author: ${d.keys.join(", ")}`,
    },
    userWrote: {
      say: (d: { users: number; status: number | null; stored: readonly string[] }) =>
        `plain users wrote to the shared table: ${d.users} (status ${d.status ?? "none"}${d.stored.length === 0 ? "" : `, stored: ${d.stored.join(", ")}`})`,
      risk: "Any user can change what all others read.",
      remedy: "Do not keep reference data in a shared table until this passes.",
    },
    userCannotRead: {
      say: (d: { users: number; of: number; why: string }) =>
        `${d.users} of ${d.of} plain users cannot read all rows: ${d.why}`,
      risk: "Users do not see the data that is published for them.",
      remedy: "Check the ACCESS_LEVEL of the table; PUBLIC lets users read.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const [services, users] = await Promise.all([
      spreadOver(target, "service", serviceCount),
      spreadOver(target, "user", userCount),
    ]);
    const table = await sharedTable(target, context, op, `${context.scratch}.published`, {
      columns: "id BIGINT PRIMARY KEY, author TEXT",
      readers: ["user"],
      writers: ["service"],
    });
    const writing = makeWorkload(target, services);
    const trying = makeWorkload(target, users, userCount, serviceCount);
    const operator = makeWorkload(target, [op], 1, 99);
    const each = context.size({ light: 3, standard: 5, deep: 40 });
    const attempts: Attempt[] = [];
    const insert = (key: string, author: string): string =>
      `INSERT INTO ${table} (id, author) VALUES (${key}, '${author}')`;

    const everybody = [...writing.clients, ...trying.clients];
    await connectAll(target, everybody);
    await together(everybody, async (client) => {
      for (let n = 0; n < each; n += 1) {
        const key = String(client.number * 1_000 + n);
        const author = `author ${client.number}`;
        const answer = await client.write(insert(key, author), [{ kind: "insert", key, values: { author } }]);
        if (client.number < serviceCount) continue;
        attempts.push({ user: client.number, said: saidOf(answer) });
        // Two tries of each are enough.
        if (n > 0) break;
      }
    });
    const all = `SELECT id, author FROM ${table} ORDER BY id LIMIT 1000`;
    // A row that is not there yet is looked up again before it counts as lost.
    await context.poll(
      async () => {
        await operator.clients[0]?.read(all);
        return judgeSet([...writing.history(), ...operator.history()], "id").lost.length;
      },
      (lost) => lost === 0,
      { withinMs: 2_000, everyMs: 400 },
    );
    const views: Seen["views"][number][] = [];
    await together(trying.clients, async (client) => {
      const answer = await client.read(all);
      const rows = trying.history().findLast((one) => one.statement === answer.exchange);
      const keys = rows?.kind === "read" ? (rows.rows?.map(({ id }) => cellText(id)) ?? null) : null;
      views.push({ said: saidOf(answer), keys });
    });
    return { operations: [...writing.history(), ...operator.history()], attempts, views };
  },
  judge({ operations, attempts, views }, { found }) {
    const { lost, unexpected, changed, acknowledged, final } = judgeSet(operations, "id");
    const wrong = [...lost, ...changed.map(({ write }) => write)];
    if (wrong.length > 0)
      found.lostRows(
        { lost: wrong.length, of: acknowledged, keys: sampleOf(wrong.map(({ key }) => key)) },
        { sent: exchangesOf([...sampleOf(wrong), ...(final === null ? [] : [final])]) },
      );
    const written = attempts.filter(({ said }) => said.kind === "ok");
    const stored = unexpected.map(({ row }) => cellText(row["author"]));
    if (written.length > 0 || stored.length > 0)
      found.userWrote(
        {
          users: Math.max(new Set(written.map(({ user }) => user)).size, new Set(stored).size),
          status: written[0]?.said.status ?? null,
          stored: sampleOf(stored),
        },
        { sent: sampleOf(written.length > 0 ? written : attempts).map(({ said }) => said) },
      );
    const keys = (final?.rows ?? []).map(({ id }) => cellText(id));
    const blind = views.filter(
      ({ said, keys: shown }) =>
        (said.kind === "refused" && isPermissionDenied(said)) || (shown !== null && lacks(shown, keys)),
    );
    for (const { said, keys: shown } of blind.slice(0, 1)) {
      const why = shown === null ? truncated(said.message, 200) : `only ${shown.length} of ${keys.length} rows`;
      found.userCannotRead({ users: blind.length, of: views.length, why }, { sent: blind.map((one) => one.said) });
    }

    const writes = operations.filter(({ kind }) => kind === "insert");
    const { ok } = countOutcomes(writes);
    if (ok < writes.length || ok === 0)
      return unknown(`only ${ok} of ${writes.length} inserts by services were acknowledged`);
    if (final === null) return unknown("the table could not be read at the end");
    const unclear = attempts.find(({ said }) => !isPermissionDenied(said));
    if (unclear !== undefined)
      return unknown(
        `an insert by a user was rejected for another reason: ${unclear.said.code} ${unclear.said.message}`,
      );
    const seeing = views.filter(({ keys: shown }) => shown !== null);
    if (attempts.length < userCount || seeing.length < userCount)
      return unknown(
        `only ${attempts.length} inserts were tried by users, and only ${seeing.length} of their reads answered`,
      );
    const { requests } = overlapOf(writes);
    if (requests < overlapMin)
      return unknown(`at most ${requests} inserts were in flight together; at least ${overlapMin} are needed`);
    return pass(
      `${ok} rows of ${serviceCount} services stored under their authors, up to ${requests} inserts in flight together; ${attempts.length} inserts by users rejected, all ${seeing.length} users read all rows`,
    );
  },
});

function lacks(shown: readonly string[], keys: readonly string[]): boolean {
  const all = new Set(shown);
  return keys.some((key) => !all.has(key));
}
