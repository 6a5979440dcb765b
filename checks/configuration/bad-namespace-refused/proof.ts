import { breakServer, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { badNamespaceRefused } from "./index.ts";

const names = [
  "empty",
  "empty in quotes",
  "leading digit",
  "leading underscore",
  "hyphen",
  "dot",
  "emoji",
  "letter with an umlaut",
  "65 characters",
  "single quotes",
  "double quotes",
  "trailing text",
  "reserved word select",
  "reserved name system",
];
const refusal = no("SQL_EXECUTION_ERROR", "Name contains invalid characters", "rule");
const own = names.map((_, at) => `kr_a1b2c_1_n${String(at).padStart(2, "0")}`);
const attempts = names.map((name, at) => ({ case: name, text: `${own[at]}?`, said: refusal }));
const sound = {
  names: "ascii" as "ascii" | "unicode",
  attempts,
  own,
  before: [],
  alive: yes(),
  created: [] as string[],
};
const having = (name: string, said: object) =>
  attempts.map((one) => (one.case === name ? { ...one, said: { ...one.said, ...said } } : one));

export default proveCheck(badNamespaceRefused, {
  holds: [
    sound,
    { ...sound, names: "unicode", attempts: attempts.filter(({ case: one }) => !/emoji|umlaut|select/.test(one)) },
    { ...sound, attempts: attempts.slice(0, -2), before: ["system", "select"] },
  ],
  cannotTell: [
    { ...sound, created: null },
    { ...sound, alive: nothing() },
    { ...sound, attempts: having("dot", nothing()) },
    { ...sound, attempts: having("dot", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
    { ...sound, attempts: attempts.slice(0, 5) },
  ],
  breaks: {
    accepted: {
      seen: { ...sound, attempts: having("hyphen", yes()), created: ["kr_a1b2c_1_n04_x"] },
      fault: sendInstead("replaceHyphenByUnderscore", /^CREATE NAMESPACE \w+-x$/, (sql) => sql.replace("-x", "_x")),
    },
    trailingTextIgnored: {
      seen: { ...sound, attempts: having("trailing text", yes()), created: ["kr_a1b2c_1_n11"] },
      fault: sendInstead("ignoreTrailingText", /^CREATE NAMESPACE \w+ ns$/, (sql) => sql.replace(/ ns$/, "")),
    },
    brokeServer: {
      seen: { ...sound, attempts: having("emoji", { kind: "unsure", status: 500, why: "unavailable" }) },
      fault: breakServer("failWithAServerError", /^CREATE NAMESPACE \w+\.x$/),
    },
  },
});
