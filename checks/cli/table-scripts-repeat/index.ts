import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { shown, tryAll } from "../../vocabulary/trials.ts";

const repeats = 2;
const types: readonly { readonly name: string; readonly options: string }[] = [
  { name: "users", options: "TYPE='USER'" },
  { name: "shared", options: "TYPE='SHARED'" },
  { name: "stream", options: "TYPE='STREAM', TTL_SECONDS=3600" },
];
const kept = "kept by repeats";

export const tableScriptsRepeat = defineCheck({
  id: "cli/table-scripts-repeat",
  title: "A script that makes and drops tables can be repeated",
  failureTitle: "A table script fails or changes something when repeated",
  description: `Makes a USER, a SHARED and a STREAM table with IF NOT EXISTS in one request, puts a row into each, and sends the same script ${repeats} times more, and then one with other columns: columns, version, options and rows must be as before. A plain CREATE of each must be refused. Then a script that drops them with IF EXISTS, ${repeats + 1} times: it must succeed each time, and they must be gone.`,
  blindTo:
    "It repeats a script that has succeeded; one that broke off half way is not tried. IF NOT EXISTS with other columns may succeed or be refused: only that it changes nothing is looked at.",
  risk: "A migration that is run again stops in the middle, or empties or alters what is there.",
  remedy: "Until this passes, ask system.tables before each CREATE and DROP.",
  covers: ["CLI-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 30,
  findings: {
    refused: { say: (d: { script: string; outcome: string }) => `${d.script}: a repeat was refused: ${d.outcome}` },
    changed: {
      say: (d: { what: string; before: string; after: string }) => `${d.what} changed from ${d.before} to ${d.after}`,
    },
    repeatAccepted: { say: (d: { sql: string }) => `${d.sql} succeeded although it was there` },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = (name: string): string => `${scratch}.${name}`;
    const create = (columns: string): string =>
      types
        .map(({ name, options }) => `CREATE TABLE IF NOT EXISTS ${table(name)} (${columns}) WITH (${options})`)
        .join("; ");
    const make = create("id BIGINT PRIMARY KEY, v TEXT NOT NULL");
    const other = create("id BIGINT PRIMARY KEY, other INT, another DOUBLE");
    const drop = types.map(({ name }) => `DROP TABLE IF EXISTS ${table(name)}`).join("; ");
    const inCatalogue = `SELECT table_name, table_type, version, options FROM system.tables WHERE namespace_id = '${scratch}' ORDER BY table_name LIMIT 10`;
    const columns = `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = '${scratch}' ORDER BY table_name, ordinal_position LIMIT 100`;
    const send = async (sql: string): Promise<Said> => saidOf(await target.sql(op, sql));
    /** Each thing by what it is called in a sentence; null where it could not be read. */
    const state = async (): Promise<{ readonly [what: string]: string | null }> => ({
      "the catalogue": await shown(target, op, inCatalogue),
      "the columns": await shown(target, op, columns),
      ...Object.fromEntries(
        await Promise.all(
          types.map(async ({ name }) => [
            `the rows of ${name}`,
            await shown(target, op, `SELECT id, v FROM ${table(name)} ORDER BY id LIMIT 10`),
          ]),
        ),
      ),
    });

    const made = await send(make);
    const filled: Said[] = [];
    for (const { name } of types) filled.push(await send(`INSERT INTO ${table(name)} (id, v) VALUES (1, '${kept}')`));
    const before = await state();
    const again: Said[] = [];
    for (let n = 0; n < repeats; n += 1) again.push(await send(make));
    const otherShape = await send(other);
    const plain = await tryAll(
      target,
      types.map(({ name, options }) => ({
        name,
        as: op,
        sql: `CREATE TABLE ${table(name)} (id BIGINT PRIMARY KEY, v TEXT NOT NULL) WITH (${options})`,
      })),
    );
    const after = await state();
    const dropped = await send(drop);
    const droppedAgain: Said[] = [];
    for (let n = 0; n < repeats; n += 1) droppedAgain.push(await send(drop));
    const left = await shown(target, op, inCatalogue);
    return { made, filled, before, again, otherShape, plain, after, dropped, droppedAgain, left };
  },
  judge(seen) {
    const { made, filled, before, after, again, otherShape, plain, dropped, droppedAgain, left } = seen;
    const scripts = [
      { script: "CREATE TABLE IF NOT EXISTS", repeated: again },
      { script: "DROP TABLE IF EXISTS", repeated: droppedAgain },
    ];
    const found = [
      ...scripts.flatMap(({ script, repeated }) => {
        const refused = repeated.find((said) => said.kind === "refused" && said.why !== "rate");
        if (refused === undefined) return [];
        const data = { script, outcome: `${refused.status} ${refused.message}` };
        return [{ name: "refused" as const, case: script, data, sent: [refused.exchange] }];
      }),
      ...Object.keys(before).flatMap((what) => {
        const [was, is] = [before[what] ?? null, after[what] ?? null];
        if (was === null || is === null || was === is) return [];
        const sent = [...again, otherShape].map((said) => said.exchange);
        return [{ name: "changed" as const, case: what, data: { what, before: was, after: is }, sent }];
      }),
      ...(dropped.kind !== "ok" || left === null || left === "[[]]"
        ? []
        : [
            {
              name: "changed" as const,
              case: "after the drop",
              data: { what: "the list after dropping all", before: "[[]]", after: left },
              sent: [dropped.exchange],
            },
          ]),
      ...plain
        .filter((one) => one.said.kind === "ok")
        .map((one) => ({
          name: "repeatAccepted" as const,
          case: one.case,
          data: { sql: one.sql },
          sent: [one.said.exchange],
        })),
    ];
    if (found.length > 0) return fail(...found);
    const broken = [made, ...filled, dropped, ...again, ...droppedAgain].find((said) => said.kind !== "ok");
    if (broken !== undefined)
      return unknown(
        `a statement was not answered with success: ${broken.status ?? ""} ${broken.message}`.replace("  ", " "),
      );
    const unread = [...Object.entries(before), ...Object.entries(after), ["the list", left] as const].find(
      ([, text]) => text === null,
    );
    if (unread !== undefined) return unknown(`${unread[0]} could not be read`);
    const rows = Object.values(before).filter((text) => text?.includes(kept) === true).length;
    if (again.length < repeats || droppedAgain.length < repeats || rows < types.length)
      return unknown("the scripts were not repeated, or there was nothing to keep");
    const vague = plain.find((one) => !isCleanRefusal(one.said));
    if (vague !== undefined || plain.length < types.length)
      return unknown(`a plain repeat was not refused for the name: ${vague?.said.message ?? "it was not tried"}`);
    if (otherShape.kind === "unsure" && otherShape.why !== "unrecognised")
      return unknown(`IF NOT EXISTS with other columns got no answer: ${otherShape.message}`);
    return pass(
      `${again.length + droppedAgain.length} of ${again.length + droppedAgain.length} repeats and other columns without effect on ${types.length} tables, ${plain.length} plain repeats refused, all gone in the end`,
    );
  },
});
