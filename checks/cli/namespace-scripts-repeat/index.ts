import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { shown, tryAll } from "../../vocabulary/trials.ts";

const repeats = 2;

export const namespaceScriptsRepeat = defineCheck({
  id: "cli/namespace-scripts-repeat",
  title: "A script that makes and drops namespaces can be repeated",
  failureTitle: "A namespace script fails or changes something when repeated",
  description:
    "Makes two namespaces with IF NOT EXISTS in one request, puts a row into one of them, and sends the same script twice more: it must succeed, and what the catalogue shows of them and the row must be as before. A plain CREATE of one that is there must be refused. Then a script that drops them with IF EXISTS, three times: it must succeed each time, and they must be gone.",
  blindTo: "It repeats a script that has succeeded; one that broke off half way is not tried.",
  risk: "A deployment that is run again stops in the middle, or takes away what the first run made.",
  remedy: "Until this passes, ask system.namespaces before each CREATE and DROP.",
  covers: ["CLI-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 16,
  findings: {
    refused: { say: (d: { script: string; outcome: string }) => `${d.script}: a repeat was refused: ${d.outcome}` },
    changed: {
      say: (d: { what: string; before: string; after: string }) => `${d.what} changed from ${d.before} to ${d.after}`,
    },
    repeatAccepted: { say: (d: { sql: string }) => `${d.sql} succeeded although it was there` },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const names = [context.name("a"), context.name("b")];
    const [full = ""] = names;
    const make = names.map((name) => `CREATE NAMESPACE IF NOT EXISTS ${name}`).join("; ");
    const drop = names.map((name) => `DROP NAMESPACE IF EXISTS ${name}`).join("; ");
    const quoted = names.map((name) => `'${name}'`).join(", ");
    const inCatalogue = `SELECT namespace_id, name, created_at FROM system.namespaces WHERE namespace_id IN (${quoted}) ORDER BY namespace_id LIMIT 10`;
    const send = async (sql: string): Promise<Said> => saidOf(await target.sql(op, sql));
    const state = async (): Promise<string | null> => {
      const [listed, row] = [
        await shown(target, op, inCatalogue),
        await shown(target, op, `SELECT id, v FROM ${full}.t ORDER BY id LIMIT 10`),
      ];
      return listed === null || row === null ? null : `${listed} ${row}`;
    };

    const made = await send(make);
    await send(`CREATE TABLE ${full}.t (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    const filled = await send(`INSERT INTO ${full}.t (id, v) VALUES (1, 'kept')`);
    const before = await state();
    const again: Said[] = [];
    for (let n = 0; n < repeats; n += 1) again.push(await send(make));
    const plain = await tryAll(target, [{ name: "plain", as: op, sql: `CREATE NAMESPACE ${full}` }]);
    const after = await state();
    await send(`DROP TABLE ${full}.t`);
    const dropped = await send(drop);
    const droppedAgain: Said[] = [];
    for (let n = 0; n < repeats; n += 1) droppedAgain.push(await send(drop));
    return {
      made,
      filled,
      before,
      again,
      plain,
      after,
      dropped,
      droppedAgain,
      left: await shown(target, op, inCatalogue),
    };
  },
  judge(seen) {
    const { made, filled, before, after, again, dropped, droppedAgain, left } = seen;
    const [plain] = seen.plain;
    const scripts = [
      { script: "CREATE NAMESPACE IF NOT EXISTS", first: made, repeated: again },
      { script: "DROP NAMESPACE IF EXISTS", first: dropped, repeated: droppedAgain },
    ];
    const found = [
      ...scripts.flatMap(({ script, repeated }) => {
        const refused = repeated.find((said) => said.kind === "refused" && said.why !== "rate");
        if (refused === undefined) return [];
        const data = { script, outcome: `${refused.status} ${refused.message}` };
        return [{ name: "refused" as const, case: script, data, sent: [refused.exchange] }];
      }),
      ...(before === null || after === null || before === after
        ? []
        : [
            {
              name: "changed" as const,
              data: { what: "what a repeat found", before, after },
              sent: again.map((said) => said.exchange),
            },
          ]),
      ...(dropped.kind !== "ok" || left === null || left === "[[]]"
        ? []
        : [
            {
              name: "changed" as const,
              case: "after the drop",
              data: { what: "the list after dropping both", before: "[[]]", after: left },
              sent: [dropped.exchange],
            },
          ]),
      ...(plain?.said.kind === "ok"
        ? [{ name: "repeatAccepted" as const, data: { sql: plain.sql }, sent: [plain.said.exchange] }]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    const broken = [made, filled, dropped, ...again, ...droppedAgain].find((said) => said.kind !== "ok");
    if (broken !== undefined)
      return unknown(
        `a statement was not answered with success: ${broken.status ?? ""} ${broken.message}`.replace("  ", " "),
      );
    if (before === null || after === null || left === null)
      return unknown("the namespaces or the row could not be read");
    if (again.length < repeats || droppedAgain.length < repeats || !before.includes("kept"))
      return unknown("the scripts were not repeated, or there was nothing to keep");
    if (plain === undefined || !isCleanRefusal(plain.said))
      return unknown(`a plain repeat was not refused for the name: ${plain?.said.message ?? "it was not tried"}`);
    return pass(
      `${again.length + droppedAgain.length} of ${again.length + droppedAgain.length} repeats without effect, a plain one refused, both gone in the end`,
    );
  },
});
