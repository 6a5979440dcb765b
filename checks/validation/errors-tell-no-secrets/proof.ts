import { rewordRefusal } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { errorsTellNoSecrets } from "./index.ts";
import { provocations, type Provoked } from "./provocations.ts";

const provoked = provocations.map(({ name }, at): Provoked => ({
  case: name,
  status: 400,
  text: "SQL statement failed",
  leaks: [],
  exchange: at,
}));
const sound = { provoked, control: "ok" };
const first = (change: Partial<Provoked>) => ({
  ...sound,
  provoked: provoked.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});

export default proveCheck(errorsTellNoSecrets, {
  holds: [sound, first({ status: 200 })],
  cannotTell: [
    { ...sound, provoked: [] },
    { ...sound, provoked: provoked.map((one) => ({ ...one, status: 429 })) },
    { ...sound, provoked: provoked.map((one) => ({ ...one, status: 200 })) },
    { ...sound, provoked: provoked.map((one) => ({ ...one, status: null })) },
    first({ status: null }),
    // The words of a proxy without a server.
    first({ status: 503 }),
    { ...sound, control: "refused" },
  ],
  breaks: {
    leaks: {
      seen: first({ leaks: [{ what: "a file path", words: "/opt/kalamdb/data" }] }),
      fault: rewordRefusal(
        "revealSourceLocation",
        /^SELECT missing FROM/,
        (message) => `${message} (panicked at backend/src/sql.rs:12)`,
      ),
    },
  },
});
