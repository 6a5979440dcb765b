import { defineCheckOf, fail, pass, unknown } from "../../../src/check.ts";
import { changesOutOfOrder } from "../../../src/history/changes.ts";
import { historyOf, stream, untold } from "../stream/index.ts";

export const changesInOrder = defineCheckOf(stream, {
  id: "subscriptions/changes-in-order",
  title: "Changes of a row, and of a writer, come in order",
  failureTitle: "Changes come in another order than they were made",
  description:
    "Judges the stream of subscriptions/every-change-arrives: of one row, and of one writer, no event may come after the event of a later statement. Between writers that work at the same time no order is asked for.",
  blindTo: "Rows of one statement have no order among themselves; nothing is said about the order between writers.",
  risk: "The last event of a row is not its last state: screens stay on an old value.",
  remedy: "Compare the row version of each event with the one known, and ignore what is older.",
  covers: [],
  level: "block",
  findings: {
    wentBack: {
      say: (d: { times: number; within: string; first: string }) =>
        `${d.times} events came after a later one of the same ${d.within}, the first: ${d.first}`,
    },
  },
  judge(seen) {
    const back = changesOutOfOrder(historyOf(seen));
    const [first] = back;
    if (seen.why === null && first !== undefined) {
      const { earlier, later, within } = first;
      const words = `${earlier.kind} of key ${earlier.key} (${earlier.mark}) after ${later.kind} of key ${later.key} (${later.mark})`;
      return fail({ name: "wentBack", data: { times: back.length, within, first: words }, sent: [seen.exchange] });
    }
    const why = untold(seen);
    if (why !== undefined) return unknown(why);
    const writers = new Set(seen.writes.map((write) => write.writer)).size;
    return pass(`${seen.told.length} events in order, of each row and of each of ${writers} writers`);
  },
});
