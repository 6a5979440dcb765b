import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { aliases, payloads, places } from "./injections.ts";
import { quoted } from "../../vocabulary/values.ts";

/** In the order of their rows in the canary table; row 0 is for the control. */
const names = [...payloads, ...places, ...aliases].map(({ name }) => name);

/** One text in one place: what was said to it, and what is there now; `got` is null where nothing is. */
type Text = {
  readonly case: string;
  readonly text: string;
  readonly mayRefuse: boolean;
  readonly said: Said;
  readonly got: string | null;
};
/** Which rows a filter for a text should find, and which it found; null where it was not answered. */
type Filter = {
  readonly case: string;
  readonly text: string;
  readonly wanted: readonly string[];
  readonly found: readonly string[] | null;
  readonly exchange: number;
};

class Injector {
  readonly texts: Omit<Text, "got">[] = [];
  readonly filters: Filter[] = [];
  readonly #target: Target;
  readonly #as: Account;
  readonly #table: string;

  constructor(target: Target, as: Account, table: string) {
    this.#target = target;
    this.#as = as;
    this.#table = table;
  }

  /** Stores the text as a literal and as a parameter, in the rows `id` and `id + 1`, and filters for it. */
  async store(name: string, text: string, mayRefuse: boolean, id: number): Promise<void> {
    const literal = await this.#target.sql(
      this.#as,
      `INSERT INTO ${this.#table} (id, v) VALUES (${id}, ${quoted(text)})`,
    );
    const parameter = await this.#target.sql(this.#as, `INSERT INTO ${this.#table} (id, v) VALUES ($1, $2)`, {
      params: [id + 1, text],
    });
    this.texts.push(
      { case: `${name}, as a literal`, text, mayRefuse, said: saidOf(literal) },
      { case: `${name}, as a parameter`, text, mayRefuse, said: saidOf(parameter) },
    );
    const wanted = [literal, parameter].flatMap(({ kind }, at) => (kind === "ok" ? [String(id + at)] : []));
    if (wanted.length === 0) return;
    const filter = await this.#target.sql(
      this.#as,
      `SELECT id FROM ${this.#table} WHERE v = $1 ORDER BY id LIMIT 200`,
      {
        params: [text],
      },
    );
    const found = rowsOf(filter)?.map((row) => integerText(row["id"]) ?? "") ?? null;
    this.filters.push({ case: `${name}, in a filter`, text, wanted, found, exchange: filter.exchange });
  }
}

export const injectionStaysData = defineCheck({
  id: "validation/injection-stays-data",
  title: "SQL inside values and names stays data",
  failureTitle: "SQL inside a value or a name is run or changed",
  description: `Stores ${payloads.length} texts that end literals and statements (quotes, comments, semicolons, backslashes, NUL, placeholders) as literals and as parameters, filters for each, and puts the like into ${places.length} places where names and numbers stand, and into aliases. Each holds a statement that deletes a row of a canary table. All canary rows must stay, each text must be read back as it was, and a filter must find just its rows. At the end that statement, sent as one, must delete a row.`,
  blindTo:
    "It looks at this server alone, not at the programs before it, and at one statement, not at all that could be smuggled in.",
  risk: "Whoever can fill in a form can read and delete everybody's data.",
  remedy: "Send values as parameters only, and never put names together from what users type.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 3 * payloads.length + places.length + aliases.length + 7,
  timeoutMs: 120_000,
  findings: {
    executed: { say: (d: { case: string; what: string }) => `${d.case}: ${d.what}` },
    changed: {
      say: (d: { case: string; text: string; got: string }) =>
        `${d.case}: ${JSON.stringify(d.text)} came back as ${d.got}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const canary = `${scratch}.canary`;
    const table = `${scratch}.t`;
    const kill = (row: number): string => `DELETE FROM ${canary} WHERE id = ${row}`;
    const columns = "(id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')";
    await target.sql(op, `CREATE TABLE ${canary} ${columns}`);
    await target.sql(op, `CREATE TABLE ${table} ${columns}`);
    const rows = ["control", ...names].map((_, at) => `(${at}, 'alive')`);
    await target.sql(op, `INSERT INTO ${canary} (id, v) VALUES ${rows.join(", ")}`);

    const injector = new Injector(target, op, table);
    for (const [at, { name, text, mayRefuse }] of payloads.entries())
      await injector.store(name, text(kill(names.indexOf(name) + 1)), mayRefuse === true, 2 * at);
    const answers: Said[] = [];
    for (const { name, sql, params, namespace } of places) {
      const statement = kill(names.indexOf(name) + 1);
      const options = {
        ...(params === undefined ? {} : { params: params(statement) }),
        ...(namespace === undefined ? {} : { namespace: namespace(statement) }),
      };
      answers.push(saidOf(await target.sql(op, sql(scratch, statement), options)));
    }
    const aliased: Text[] = [];
    for (const { name, text } of aliases) {
      const alias = text(kill(names.indexOf(name) + 1));
      const answer = await target.sql(op, `SELECT 1 AS "${alias.replaceAll('"', '""')}"`);
      const got = answer.kind === "ok" ? (answer.results[0]?.columns[0]?.name ?? null) : null;
      aliased.push({ case: name, text: alias, mayRefuse: false, said: saidOf(answer), got });
    }

    const stored = rowsOf(await target.sql(op, `SELECT id, v FROM ${table} ORDER BY id LIMIT 500`));
    const byId = new Map((stored ?? []).map((row) => [integerText(row["id"]), cellText(row["v"])]));
    const texts = injector.texts.map((one, id): Text => ({ ...one, got: byId.get(String(id)) ?? null }));
    const alive = rowsOf(await target.sql(op, `SELECT id, v FROM ${canary} ORDER BY id LIMIT 500`));
    const control = saidOf(await target.sql(op, kill(0)));
    const left = rowsOf(await target.sql(op, `SELECT id FROM ${canary} WHERE id = 0 LIMIT 1`));
    return {
      texts: [...texts, ...aliased],
      filters: injector.filters,
      answers,
      looked: stored !== undefined,
      /** Rows of the canary table that are as they were; null where it could not be read. */
      alive: alive?.filter((row) => row["v"] === "alive").map((row) => integerText(row["id"]) ?? "") ?? null,
      /** Whether the statement in the texts does what it should where it is sent as one. */
      control: control.kind === "ok" && left?.length === 0,
    };
  },
  judge({ texts, filters, answers, looked, alive, control }) {
    if (alive === null || !looked) return unknown("the canary table or the stored texts could not be read afterwards");
    if (!control)
      return unknown("the statement in the texts does not delete a row where it is sent as one, so it shows nothing");
    const ran = names
      .filter((_, at) => !alive.includes(String(at + 1)))
      .map((name) => ({
        name: "executed" as const,
        case: name,
        data: { case: name, what: "the statement inside it ran; the row that it deletes is gone" },
        sent: texts.filter((one) => one.case.startsWith(name)).map(({ said }) => said.exchange),
      }));
    const overfull = filters.flatMap(({ case: name, wanted, found, exchange }) => {
      const others = (found ?? []).filter((id) => !wanted.includes(id));
      if (others.length === 0) return [];
      const what = `it finds rows of other texts: ${others.join(", ")}`;
      return [{ name: "executed" as const, case: name, data: { case: name, what }, sent: [exchange] }];
    });
    const changed = (name: string, text: string, got: string, exchange: number) => ({
      name: "changed" as const,
      case: name,
      data: { case: name, text, got },
      sent: [exchange],
    });
    const bent = texts
      .filter(({ said, text, got }) => said.kind === "ok" && got !== text)
      .map((one) =>
        changed(one.case, one.text, one.got === null ? "nothing" : JSON.stringify(one.got), one.said.exchange),
      );
    const unfound = filters
      .filter(({ wanted, found }) => found !== null && wanted.some((id) => !found.includes(id)))
      .map((one) =>
        changed(
          one.case,
          one.text,
          `rows ${one.found?.join(", ") ?? ""} instead of ${one.wanted.join(", ")}`,
          one.exchange,
        ),
      );
    const found = [...ran, ...overfull, ...bent, ...unfound];
    if (found.length > 0) return fail(...found);
    const lost = texts.find(({ said, mayRefuse }) => said.kind !== "ok" && !(mayRefuse && isCleanRefusal(said)));
    if (lost !== undefined)
      return unknown(`${lost.case}: not taken, but ${lost.said.status ?? lost.said.why} ${lost.said.message}`);
    const vague = answers.find((said) => said.kind !== "ok" && !isCleanRefusal(said) && said.why !== "permission");
    if (vague !== undefined)
      return unknown(`a name was neither taken nor refused, but ${vague.status ?? vague.why} ${vague.message}`);
    const unasked = filters.find((one) => one.found === null);
    if (unasked !== undefined) return unknown(`${unasked.case}: it was not answered`);
    if (texts.length < 2 * payloads.length + aliases.length || answers.length < places.length)
      return unknown(
        `only ${texts.length + answers.length} of ${2 * payloads.length + aliases.length + places.length} were tried`,
      );
    const kept = texts.filter(({ said }) => said.kind === "ok").length;
    return pass(
      `${kept} of ${texts.length} texts stored and read as they are, ${filters.length} filters exact, ${answers.length} places tried, ${names.length} of ${names.length} canary rows alive`,
    );
  },
});
