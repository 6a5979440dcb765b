import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespacesListed } from "./index.ts";

const names = ["a", "b", "c"].map((suffix) => `kr_a1b2c_1_${suffix}`);
const [kept = "", second = "", third = ""] = names;
const places = ["system.namespaces", "SHOW NAMESPACES", "information_schema.schemata"];
const look = (place: string, listed: readonly string[] | null) => ({ place, said: yes(), names: listed });
const sound = {
  names,
  kept,
  there: places.map((place) => look(place, names)),
  dropped: [yes(), yes()],
  after: places.map((place) => look(place, [kept])),
};
const change = (looks: typeof sound.there, place: string, listed: readonly string[] | null) =>
  looks.map((one) => (one.place === place ? look(place, listed) : one));
const unanswered = (said: ReturnType<typeof nothing>) =>
  sound.there.map((one, at) => (at === 0 ? { ...one, said, names: null } : one));

export default proveCheck(namespacesListed, {
  holds: [sound, { ...sound, there: change(sound.there, "SHOW NAMESPACES", null) }],
  cannotTell: [
    { ...sound, dropped: [yes(), nothing()] },
    { ...sound, there: unanswered(nothing()) },
    { ...sound, there: unanswered(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
    { ...sound, after: sound.after.map((one) => ({ ...one, names: null })) },
  ],
  breaks: {
    missing: {
      seen: { ...sound, there: change(sound.there, "SHOW NAMESPACES", [kept, third]) },
      fault: changeRows("leaveOneOut", /^SHOW NAMESPACES/, (rows) =>
        rows.filter(([name]) => !cellText(name).endsWith("_b")),
      ),
    },
    extra: {
      seen: { ...sound, there: change(sound.there, "system.namespaces", [...names, kept]) },
      fault: changeRows("listOneTwice", /FROM system\.namespaces WHERE/, (rows) => [...rows, ...rows.slice(0, 1)]),
    },
    lingering: {
      seen: { ...sound, after: change(sound.after, "system.namespaces", [kept, second]) },
      fault: changeRows("keepListingTheDropped", /FROM system\.namespaces WHERE/, (rows) =>
        rows.length > 1 ? undefined : [...rows, ...rows.map(([name]) => [cellText(name).replace(/_a$/, "_b")])],
      ),
    },
    ghostSchema: {
      seen: { ...sound, after: change(sound.after, "information_schema.schemata", names) },
      fault: changeRows("keepTheSchema", /FROM information_schema\.schemata WHERE/, (rows) =>
        rows.length > 1 ? undefined : [...rows, ...rows.map(([name]) => [cellText(name).replace(/_a$/, "_c")])],
      ),
    },
  },
});
