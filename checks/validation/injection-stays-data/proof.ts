import { changeRows, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { aliases, cases, payloads, places } from "./injections.ts";
import { injectionStaysData } from "./index.ts";

const text = (name: string, change: object = {}) => ({
  case: name,
  text: "'; DELETE",
  mayRefuse: false,
  said: yes(),
  got: "'; DELETE" as string | null,
  ...change,
});
const texts = [
  ...payloads.flatMap(({ name }) => [text(`${name}, as a literal`), text(`${name}, as a parameter`)]),
  ...aliases.map(({ name }) => text(name)),
];
const filters = payloads.map(({ name }, at) => ({
  case: `${name}, in a filter`,
  text: "'; DELETE",
  expected: [String(at)],
  maybe: [] as string[],
  found: [String(at)] as string[] | null,
  unsteady: false,
  exchange: at,
}));
const refusal = no("SQL_EXECUTION_ERROR", "not found", "missing");
const answers = places.map(() => refusal);
const alive = cases.map((_, at) => String(at + 1));
const sound = {
  texts,
  tried: payloads.length,
  filters,
  answers,
  readBack: true,
  alive: alive as string[] | null,
  control: true,
};
const firstText = (change: object) => ({
  ...sound,
  texts: [text("single quote, as a literal", change), ...texts.slice(1)],
});
const firstFilter = (found: string[] | null) => ({
  ...sound,
  filters: filters.map((one, at) => (at === 0 ? { ...one, found } : one)),
});

export default proveCheck(injectionStaysData, {
  holds: [sound, firstText({ mayRefuse: true, said: refusal, got: null })],
  cannotTell: [
    { ...sound, alive: null },
    { ...sound, readBack: false },
    // Stored without an answer, and found.
    {
      ...firstText({ said: nothing() }),
      filters: filters.map((one, at) => (at === 0 ? { ...one, maybe: ["99"], found: [...one.expected, "99"] } : one)),
    },
    { ...sound, control: false },
    firstText({ said: refusal, got: null }),
    firstText({ said: nothing(), got: null }),
    firstText({ mayRefuse: true, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), got: null }),
    { ...sound, answers: [nothing(), ...answers.slice(1)] },
    { ...sound, answers: answers.slice(1) },
    { ...sound, texts: texts.slice(1) },
    firstFilter(null),
    { ...sound, filters: filters.map((one) => ({ ...one, unsteady: true })) },
    // If the control fails, even an altered text is inconclusive.
    { ...firstText({ got: "altered" }), control: false },
  ],
  breaks: {
    executed: {
      seen: { ...sound, alive: alive.slice(1) },
      fault: sqlFault("executeAfterAQuote", async (sql, _, exchange) => {
        const smuggled = /VALUES \(\d+, '''; (DELETE FROM \S+ WHERE id = \d+)/.exec(sql)?.[1];
        if (smuggled === undefined) return undefined;
        const said = await exchange();
        await exchange(smuggled);
        return said;
      }),
    },
    changed: {
      seen: firstText({ got: "\\'; DELETE" }),
      fault: changeRows("doubleTheBackslashes", /^SELECT id, v FROM \S+\.t ORDER BY id/, (rows) =>
        rows.map(([id, v]) => [id ?? null, typeof v === "string" ? v.replaceAll("\\", "\\\\") : (v ?? null)]),
      ),
    },
  },
});
