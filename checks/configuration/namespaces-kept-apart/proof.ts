import { changeRows, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespacesKeptApart } from "./index.ts";

const names = ["a", "b", "c", "d"].map((letter) => `kr_a1b2c_1_${letter}`);
const exists = no("SQL_EXECUTION_ERROR", "Already exists", "exists");
const sound = {
  names,
  created: names.map(() => yes()),
  repeated: names.map(() => yes()),
  plain: { statement: "CREATE NAMESPACE kr_a1b2c_1_a", said: exists },
  capital: { statement: "CREATE NAMESPACE KR_A1B2C_1_A", said: exists },
  listing: yes(),
  listed: names,
};
const listing = /^SELECT namespace_id FROM system\.namespaces/;

export default proveCheck(namespacesKeptApart, {
  holds: [sound],
  cannotTell: [
    { ...sound, listed: null },
    { ...sound, created: [nothing(), yes(), yes(), yes()] },
    { ...sound, repeated: [nothing(), yes(), yes(), yes()] },
    { ...sound, plain: { ...sound.plain, said: nothing() } },
    // It may have been free.
    {
      ...sound,
      created: [nothing(), yes(), yes(), yes()],
      repeated: [nothing(), yes(), yes(), yes()],
      plain: { ...sound.plain, said: yes() },
    },
    { ...sound, names: [], created: [], repeated: [], listed: [] },
  ],
  breaks: {
    lost: {
      seen: { ...sound, listed: names.slice(1) },
      fault: changeRows("hideANamespace", listing, (rows) => rows.slice(1)),
    },
    extra: {
      seen: { ...sound, listed: [...names, "kr_a1b2c_1_e"] },
      fault: changeRows("addANamespace", listing, (rows) => [...rows, ["kr_invented"]]),
    },
    duplicateAccepted: {
      seen: { ...sound, capital: { ...sound.capital, said: yes() } },
      fault: claimSuccess("acceptUpperCase", /^CREATE NAMESPACE KR_/),
    },
  },
});
