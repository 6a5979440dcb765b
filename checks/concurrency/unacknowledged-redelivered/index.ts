import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { sampleOf } from "../../vocabulary/clients.ts";
import { visibilitySetting } from "../../vocabulary/consumer.ts";
import { observeDeath, rows } from "./dying.ts";

/** A longer time-out would hold up the run. */
const timeoutMsMax = 10_000;

export const unacknowledgedRedelivered = defineCheck({
  id: "concurrency/unacknowledged-redelivered",
  title: "Messages of a dead consumer are delivered again",
  failureTitle: "Messages of a dead consumer are never delivered again",
  description: `A consumer of a group receives ${rows} messages of a topic, and is not heard of again: it acknowledges nothing. Another consumer of the group polls from then on. It must receive all of them when the server's time-out (${visibilitySetting}) is over.`,
  blindTo: `Servers that kalam-ready did not start: the time-out is a minute by default, and one that it starts has eight seconds. A time-out above ${timeoutMsMax / 1000} s in the user's own settings file is not waited for. How much earlier than the time-out messages come again is not judged; topic-group-shares-once judges whether two consumers get the same one.`,
  risk: "The jobs of a worker that crashed are never done.",
  remedy: "Compare what workers did with the table, and publish again what is missing.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "own-server"],
  waits: true,
  level: "block",
  estimateMs: 9_000,
  estimateRequests: 35,
  timeoutMs: 90_000,
  from: { effort: "standard", needs: "the time-out of unacknowledged messages to pass" },
  findings: {
    notRedelivered: {
      say: (d: { lost: number; of: number; keys: readonly string[]; timeoutMs: number; waitedMs: number }) =>
        `${d.lost} of ${d.of} messages that a dead consumer had not acknowledged were not delivered again within ${d.waitedMs} ms (time-out ${d.timeoutMs} ms; ids ${d.keys.join(", ")}); another group receives them`,
      timed: true,
    },
  },
  async observe(target, context) {
    return await observeDeath(target, context, timeoutMsMax);
  },
  judge({ timeoutMs, claimed, again, inTopic, waitedMs, failures, exchanges }, { found }) {
    if (timeoutMs === null)
      return unknown(
        `the server's time-out (${visibilitySetting}) is not known to be ${timeoutMsMax / 1000} s or less`,
      );
    // A poll that failed may have taken messages with it.
    if (failures[0] !== undefined) return unknown(`a poll failed: ${failures[0].what}`);
    const missing = claimed.filter((key) => !again.includes(key));
    const orphans = missing.filter((key) => inTopic.includes(key));
    if (orphans.length > 0 && waitedMs >= 2 * timeoutMs)
      found.notRedelivered(
        { lost: orphans.length, of: claimed.length, keys: sampleOf(orphans), timeoutMs, waitedMs },
        { sent: exchanges },
      );
    if (claimed.length < rows) return unknown(`only ${claimed.length} of ${rows} messages were delivered at all`);
    if (missing.length > 0) return unknown(`${missing.length} messages were delivered again to nobody, in no group`);
    return pass(
      `${claimed.length} of ${claimed.length} messages of a dead consumer were delivered to another one ${waitedMs} ms later (time-out ${timeoutMs} ms)`,
    );
  },
});
