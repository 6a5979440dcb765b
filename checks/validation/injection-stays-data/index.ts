import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { cellText, integerText, isCleanRefusal, rowsOf, saidOf } from "../../../src/server/target.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { canaryKey, storeTexts, tryAliases, tryPlaces, type Text } from "./attempts.ts";
import { aliases, cases, payloads, places } from "./injections.ts";

export const injectionStaysData = defineCheck({
  id: "validation/injection-stays-data",
  title: "SQL inside values and names is never executed or altered",
  failureTitle: "SQL inside a value or a name is executed or altered",
  description: `Stores ${payloads.length} texts (about a third of them at light effort) that end literals and statements (quotes, comments, semicolons, backslashes, NUL, placeholders) as literals and as parameters, filters for each, and puts similar texts in ${places.length} places where names and numbers stand, and in aliases. Each contains a statement that deletes a row of a canary table. All canary rows must remain, each text must be read back unchanged, and a filter must find exactly its rows. At the end that statement, sent on its own, must delete a row.`,
  blindTo: "Only this server is tested, not the programs in front of it, and with one kind of statement.",
  risk: "An attacker who can fill in a form can read and delete all data.",
  remedy: "Send values only as parameters, and never build names from user input.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 3 * payloads.length + places.length + aliases.length + 7,
  timeoutMs: 120_000,
  findings: {
    executed: { say: (d: { case: string; what: string }) => lookedTwice(`${d.case}: ${d.what}`) },
    changed: {
      say: (d: { case: string; text: string; got: string }) =>
        `${d.case}: ${JSON.stringify(d.text)} came back as ${d.got}`,
      risk: "Text that users store is altered or lost, or cannot be found again.",
      remedy: "Do not store user input on this server until this passes; the finding names the text that is altered.",
    },
  },
  async observe(target, context) {
    const { scratch, need } = context;
    const op = await target.account("dba");
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const canary = await sharedTable(target, context, op, `${scratch}.canary`, { columns });
    const table = await sharedTable(target, context, op, `${scratch}.t`, { columns });
    const rows = ["control", ...cases].map((_, at) => `(${at}, 'alive')`).join(", ");
    need(await target.sql(op, `INSERT INTO ${canary} (id, v) VALUES ${rows}`), "the rows could not be written");
    const removeRow = (id: number): string => `DELETE FROM ${canary} WHERE id = ${id}`;
    const remove = (name: string): string => removeRow(canaryKey(name));

    const { tried, stored, filters } = await storeTexts(target, context, op, table, remove);
    const answers = await tryPlaces(target, op, scratch, remove);
    const aliased = await tryAliases(target, op, remove);

    const read = rowsOf(await target.sql(op, `SELECT id, v FROM ${table} ORDER BY id LIMIT 500`));
    const byId = new Map((read ?? []).map((row) => [integerText(row["id"]), cellText(row["v"])]));
    const texts = stored.map((one, id): Text => ({ ...one, got: byId.get(String(id)) ?? null }));
    const look = async (time: 1 | 2) =>
      rowsOf(await target.sql(op, `SELECT id, v FROM ${canary} ORDER BY id LIMIT ${500 + time}`));
    const once = await look(1);
    // Before anything is said to have been executed, the rows are looked at a second time.
    const alive = once?.length === cases.length + 1 ? once : await afterAWhile(context, async () => await look(2));
    const control = saidOf(await target.sql(op, removeRow(0)));
    const left = rowsOf(await target.sql(op, `SELECT id FROM ${canary} WHERE id = 0 LIMIT 1`));
    return {
      texts: [...texts, ...aliased],
      tried,
      filters,
      answers,
      readBack: read !== undefined,
      /** Keys of unchanged canary rows; null if the table could not be read. */
      alive: alive?.filter((row) => row["v"] === "alive").map((row) => integerText(row["id"]) ?? "") ?? null,
      /** Whether the statement in the texts deletes a row when it is sent on its own. */
      control: control.kind === "ok" && left?.length === 0,
    };
  },
  judge({ texts, tried, filters, answers, readBack, alive, control }, { found }) {
    if (alive === null || !readBack) return unknown("the canary table or the stored texts could not be read back");
    if (!control) return unknown("the statement in the texts does not delete a row even when it is sent on its own");
    for (const name of cases.filter((one) => !alive.includes(String(canaryKey(one))))) {
      const sent = texts.filter((one) => one.case.startsWith(name)).map(({ said }) => said);
      found.executed(
        { case: name, what: "the statement inside it was executed and its row is gone" },
        { case: name, sent },
      );
    }
    for (const one of filters) {
      const others = (one.found ?? []).filter((id) => !one.expected.includes(id) && !one.maybe.includes(id));
      const what = `it finds rows of other texts: ${others.join(", ")}`;
      if (others.length > 0) found.executed({ case: one.case, what }, { case: one.case, sent: one });
    }
    for (const { case: name, text, got, said } of texts) {
      if (said.kind !== "ok" || got === text) continue;
      const data = { case: name, text, got: got === null ? "nothing" : JSON.stringify(got) };
      found.changed(data, { case: name, sent: said });
    }
    for (const one of filters) {
      if (one.found === null || one.expected.every((id) => one.found?.includes(id))) continue;
      const got = `rows ${one.found.join(", ")} instead of ${one.expected.join(", ")}`;
      found.changed({ case: one.case, text: one.text, got }, { case: one.case, sent: one });
    }

    const lost = texts.find(({ said, mayRefuse }) => said.kind !== "ok" && !(mayRefuse && isCleanRefusal(said)));
    if (lost !== undefined)
      return unknown(`${lost.case}: not stored: ${lost.said.status ?? lost.said.why} ${lost.said.message}`);
    const unclear = answers.find((said) => said.kind !== "ok" && !isCleanRefusal(said) && said.why !== "permission");
    if (unclear !== undefined)
      return unknown(`a name was neither accepted nor refused: ${unclear.status ?? unclear.why} ${unclear.message}`);
    const unsteady = filters.find((one) => one.unsteady);
    if (unsteady !== undefined)
      return unknown(`${unsteady.case}: two answers to one filter differ (validation/reads-are-fresh judges that)`);
    const unanswered = filters.find((one) => one.found === null);
    if (unanswered !== undefined) return unknown(`${unanswered.case}: no answer`);
    const textsMin = 2 * tried + aliases.length;
    if (texts.length < textsMin || answers.length < places.length)
      return unknown(`only ${texts.length + answers.length} of ${textsMin + places.length} were tried`);
    const kept = texts.filter(({ said }) => said.kind === "ok").length;
    return pass(
      `${kept} of ${texts.length} texts stored and read back unchanged, ${filters.length} filters exact, ${answers.length} places tried, ${cases.length} of ${cases.length} canary rows left`,
    );
  },
});
