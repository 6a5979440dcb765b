import type { Json } from "../../../src/wire/json.ts";
import { changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { versionTold } from "./index.ts";

const told = (place: string, version: string | null, unread: string | null = null) => ({
  place,
  version,
  unread,
  exchange: 1,
});
const places = ["GET /health", "system.stats", "node 1"];
const sound = { told: places.map((place) => told(place, "0.4.3")) };

/** Closes GET /health; together with the two faults below, no place reports the version. */
const closeHealth: Fault["wrap"] = (wire, fired) => ({
  ...wire,
  async exchange(request) {
    const answer = await wire.exchange(request);
    if (request.path !== "/health" || answer.kind !== "answered") return answer;
    fired();
    return { ...answer, status: 403, body: new TextEncoder().encode('{"error":"closed"}') };
  },
});
const noMetric = changeRows("hideTheMetric", /'server_version'/, () => []);
const noCluster = refuseIt("haveNoCluster", /FROM system\.cluster/, {
  message: "table 'kalam.system.cluster' not found",
});

export default proveCheck(versionTold, {
  holds: [sound, { told: [told("GET /health", null), told("system.stats", "0.4.3"), told("system.cluster", null)] }],
  cannotTell: [
    { told: [] },
    { told: [told("GET /health", null, "no answer within 15000 ms"), told("system.stats", "0.4.3")] },
    { told: [told("GET /health", null), told("system.stats", null, "503"), told("node 1", null)] },
  ],
  breaks: {
    unknownVersion: {
      seen: { told: places.map((place) => told(place, null)) },
      fault: {
        name: "reportNoVersion",
        wrap: (wire, fired) => closeHealth(noMetric.wrap(noCluster.wrap(wire, fired), fired), fired),
      },
    },
    mixed: {
      seen: { told: [...sound.told, told("node 2", "0.4.2")] },
      fault: changeRows("addANodeOfAnotherVersion", /FROM system\.cluster/, (rows, columns) => [
        ...rows,
        columns.map((column): Json => (column === "version" ? "0.0.1" : "2")),
      ]),
    },
  },
});
