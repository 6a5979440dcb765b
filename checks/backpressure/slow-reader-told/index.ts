import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { acknowledgedMin, slowReader } from "../../observability/slow-reader/index.ts";

const mib = 1024 * 1024;
const inMib = (bytes: number): string => `${Math.round(bytes / mib).toLocaleString("en-US")} MiB`;

export const slowReaderTold = defineCheckOf(slowReader, {
  id: "backpressure/slow-reader-told",
  title: "A slow subscriber gets every change or is told of the gap",
  failureTitle: "A slow subscriber loses changes, or harms others",
  description:
    "A subscriber stops reading while 2,000 rows of 8 KB are written (1,200 at light effort, 4,000 at deep), then reads on. It must get every change, or a message or a close of its connection that tells it otherwise. A second subscriber, which reads all the time, must get every change meanwhile. After connecting and subscribing again the first one must see every row. The memory of a server that kalam-ready started must not grow by more than the limit.",
  blindTo:
    "Slower leaks of memory, and many slow subscribers at once. The memory of a server that somebody else runs is not seen.",
  risk: "A user whose phone loses its network for a moment sees stale data from then on, without knowing.",
  remedy:
    "Let clients compare with a SELECT, or subscribe again, after every pause of their own; report it to the KalamDB project.",
  covers: [],
  level: "block",
  limits: { memoryGrowthMiBMax: 512 },
  findings: {
    silentGap: {
      say: (d: { missing: number; of: number; when: string }) =>
        `${d.missing} of ${d.of} changes were never delivered to the slow subscriber ${d.when}, and it was not told`,
    },
    hurtOthers: {
      say: (d: { missing: number; of: number }) =>
        `${d.missing} of ${d.of} changes were never delivered to a subscriber that read all the time`,
      risk: "One user with a slow network makes others lose changes.",
    },
    heldUpOthers: {
      say: (d: { received: number; of: number }) =>
        `a subscriber that read all the time had received ${d.received} of ${d.of} changes when it was held up until the slow one read on`,
      risk: "One user with a slow network holds up all others.",
      timed: true,
    },
    memoryGrew: {
      say: (d: { grownMiB: number; writtenMiB: number }) =>
        `the server's memory grew by ${d.grownMiB} MiB while ${d.writtenMiB} MiB were written for a subscriber that did not read`,
      level: "warn",
      risk: "A few slow clients can use up the memory of the server.",
    },
  },
  judge(seen, { found, limits }) {
    const { acknowledged, received, fenced, closed, told, steady, again, memory, bytesWritten, exchange } = seen;
    if (acknowledged < acknowledgedMin)
      return unknown(`only ${acknowledged} rows were acknowledged; at least ${acknowledgedMin} are needed`);
    const missing = acknowledged - received;
    const isTold = told.length > 0;
    if (missing > 0 && fenced && !isTold)
      found.silentGap(
        { missing, of: acknowledged, when: "after it read on" },
        { case: "reading on", sent: [exchange] },
      );
    if (again !== null && again.missing > 0)
      found.silentGap(
        { missing: again.missing, of: acknowledged, when: "when it subscribed again" },
        { case: "subscribing again", sent: [again.exchange] },
      );
    const lossesBefore = steady.before.written - steady.before.received;
    const isSteadyTold = steady.notices.length > 0;
    const lost = acknowledged - steady.received;
    if (lost > 0 && steady.fenced && lossesBefore === 0 && !isSteadyTold)
      found.hurtOthers({ missing: lost, of: acknowledged }, { sent: [steady.exchange] });
    if (lost === 0 && steady.stalledAt !== null)
      found.heldUpOthers({ received: steady.stalledAt, of: acknowledged }, { sent: [steady.exchange] });
    const grown = memory === null ? 0 : memory.most - memory.before;
    if (grown > limits.memoryGrowthMiBMax * mib)
      found.memoryGrew({ grownMiB: Math.round(grown / mib), writtenMiB: Math.round(bytesWritten / mib) });
    if (!fenced && closed === null) return unknown("the last row was not delivered, so changes may still be in flight");
    if (again === null) return unknown("the slow subscriber could not subscribe again");
    if (isSteadyTold) return unknown(`the other subscriber was interrupted: ${steady.notices.join("; ")}`);
    if (lossesBefore > 0) return unknown(`${lossesBefore} changes were lost before anything was slow`);
    if (lost > 0) return unknown("the other subscriber's last row was not delivered: its changes may be in flight");
    const gap =
      missing === 0
        ? `all ${acknowledged} changes came after the pause`
        : `${missing} of ${acknowledged} changes were dropped, and it was told by ${told.map(({ where }) => where).join(", ")}`;
    const kept = memory === null ? "memory not seen" : `memory ${inMib(memory.before)} → ${inMib(memory.most)}`;
    return pass(`${gap}; the other subscriber got all; subscribing again shows every row; ${kept}`);
  },
});
