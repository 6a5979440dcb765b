import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { changesOutOfOrder } from "../../../src/history/changes.ts";
import { historyOf, stream, whyUnknown } from "../stream/index.ts";
import { writeText } from "../stream/marked-rows.ts";

export const changesInOrder = defineCheckOf(stream, {
  id: "subscriptions/changes-in-order",
  title: "Changes of one row, and of one client, arrive in order",
  failureTitle: "Changes arrive out of order",
  description:
    "Judges the stream of subscriptions/every-change-arrives: of one row, and of one client, no event may arrive after the event of a later statement. No order is required between concurrent clients.",
  blindTo: "Rows of one statement have no order among themselves; nothing is said about the order between clients.",
  risk: "The last event of a row is not its last state: screens keep a stale value.",
  remedy: "Compare the row version of each event with the one known, and ignore older ones.",
  covers: [],
  level: "block",
  findings: {
    wentBack: {
      say: (d: { times: number; within: string; first: string }) =>
        `${d.times} events arrived after a later one of the same ${d.within}, the first: ${d.first}`,
    },
  },
  judge(seen, { found }) {
    const outOfOrder = changesOutOfOrder(historyOf(seen));
    const [first] = outOfOrder;
    if (first !== undefined) {
      const { earlier, later, within } = first;
      const words = `${writeText(earlier)} after ${writeText(later)}`;
      found.wentBack({ times: outOfOrder.length, within, first: words }, { sent: seen });
    }
    const why = whyUnknown(seen);
    if (why !== undefined) return unknown(why);
    const clients = new Set(seen.writes.map(({ client }) => client)).size;
    return pass(`${seen.delivered.length} events, in order for each row and for each of ${clients} clients`);
  },
});
