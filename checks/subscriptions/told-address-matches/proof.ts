import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { ready } from "../../vocabulary/opening-evidence.ts";
import { toldAddressMatches } from "./index.ts";

const told = {
  said: yes(),
  address: "ws://127.0.0.1:8080/v1/ws",
  sql: "SELECT * FROM kr_a1b2c_1.life",
  ours: "http://localhost:8080",
  tried: { why: null as string | null, opening: ready() },
};
const cold = { why: null, snapshot: [], steps: [], fenced: true, exchange: 6 };
const sound = { told, snapshot: [], writes: [], changes: [], table: [], fenced: true, notices: [], exchange: 5, cold };
const having = (rest: object) => ({ ...sound, told: { ...told, ...rest } });

export default proveCheck(toldAddressMatches, {
  holds: [
    sound,
    having({ address: "wss://db-1.example.net/v1/ws", tried: null }),
    having({ address: "ws://localhost:8080/ws", tried: { why: "the upgrade was answered with 404", opening: null } }),
  ],
  cannotTell: [
    having({ said: no("INVALID_SQL", "SQL statement is invalid", "parse"), tried: null }),
    having({ address: "/v1/ws", tried: null }),
  ],
  breaks: {
    otherAddress: {
      seen: having({ ours: "https://localhost" }),
      fault: changeRows("tellAnotherPort", /^SUBSCRIBE TO/, (rows) =>
        rows.map((row) =>
          row.map((cell) => (typeof cell === "string" ? cell.replace(/^ws:\/\/([^:/]+):\d+/, "ws://$1:1") : cell)),
        ),
      ),
    },
  },
  mayBeLost: [
    { what: /^(?!SUBSCRIBE )/, because: "it judges the address that SUBSCRIBE TO returned, and nothing else" },
  ],
});
