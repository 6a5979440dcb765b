import { isRecord, type Json } from "../../../src/wire/json.ts";
import { sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { tookIsHonest } from "./index.ts";

const sample = (took: number | null, ours: number) => ({ said: yes(), took, ours });
const three = <T>(one: T): T[] => [one, one, one];
const sound = { fast: three(sample(1, 2)), slow: three(sample(101, 103)) };

export default proveCheck(tookIsHonest, {
  holds: [sound, { ...sound, fast: [sample(400, 401), ...sound.fast.slice(1)] }],
  cannotTell: [
    { ...sound, fast: three(sample(null, 2)) },
    { ...sound, slow: three(sample(3, 4)) },
    { ...sound, slow: [] },
    // The fast ones differ as much as that: the client waited for its machine.
    { fast: [sample(1, 2), sample(1, 40), sample(1, 3)], slow: three(sample(1, 103)) },
    { ...sound, fast: [...sound.fast.slice(1), { said: nothing(), took: null, ours: 15_000 }] },
  ],
  breaks: {
    impossible: {
      seen: { ...sound, slow: three(sample(1, 103)) },
      fault: sqlFault("reportAnHour", async (sql, _, exchange) => {
        const said = sql === "SELECT 1 AS n" ? await exchange() : undefined;
        return said !== undefined && isRecord(said.body)
          ? { status: said.status, body: { ...said.body, took: 3_600_000 } as Json }
          : undefined;
      }),
    },
  },
  mayBeLost: [{ what: /^WITH /, because: "the next, slower query takes its place" }],
});
