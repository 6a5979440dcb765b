import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { acknowledgedMin, slowReader } from "../slow-reader/index.ts";

export const dropsVisible = defineCheckOf(slowReader, {
  id: "observability/drops-visible",
  title: "Changes dropped for a slow reader are reported",
  failureTitle: "Changes dropped for a slow reader are not reported",
  description:
    "A subscriber stops reading while 2,000 rows of 8 KB are written (1,200 at light effort, 4,000 at deep), then reads on. If changes are missing, a metric in system.stats, a row in system.server_logs that names the subscription, a message to the subscriber or a close of its connection must report it. If none were dropped, there is nothing to report.",
  blindTo:
    "Whether the subscriber itself is notified and whether other subscribers suffer is left to the backpressure category. A log that cannot be read over SQL is not seen; the result is then unknown.",
  risk: "At busy times some users see stale data, and no metric or log explains why.",
  remedy:
    "Set logging.format to json and logging.level to at least warn, and alert on dropped notifications in the log.",
  covers: [],
  level: "block",
  findings: {
    silent: {
      say: (d: { dropped: number; of: number; places: readonly string[] }) =>
        `${d.dropped} of ${d.of} changes were never delivered and nothing reports it: not ${d.places.join(", not ")}`,
    },
  },
  judge({ acknowledged, received, fenced, closed, admitted, statsRead, logRead, exchange }, { found }) {
    if (acknowledged < acknowledgedMin)
      return unknown(`only ${acknowledged} rows were acknowledged; at least ${acknowledgedMin} are needed`);
    if (!fenced && closed === null)
      return unknown("the fence row was not delivered, so changes may still be in flight");
    const dropped = acknowledged - received;
    if (dropped === 0) return pass(`nothing was dropped: all ${acknowledged} changes were delivered after the pause`);
    const lost = `${dropped} of ${acknowledged} changes were dropped`;
    const [first] = admitted;
    if (first !== undefined)
      return pass(`${lost}; reported by ${admitted.map(({ where }) => where).join(", ")}: ${first.words}`);
    if (!logRead) return unknown(`${lost}; the log that may report it cannot be read over SQL`);
    if (!statsRead) return unknown(`${lost}; system.stats, which may report it, could not be read`);
    const places = ["a metric in system.stats", "a row in system.server_logs", "a message", "a close"];
    found.silent({ dropped, of: acknowledged, places }, { sent: [exchange] });
    return unknown(lost);
  },
});
