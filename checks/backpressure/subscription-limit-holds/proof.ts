import { frameFault, messageFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { subscriptionLimitHolds } from "./index.ts";
import type { Quota, Returned } from "./quota.ts";

const full = refusal("SUBSCRIPTION_LIMIT_EXCEEDED", "Maximum subscriptions reached");
const back = (way: Returned["way"], freed: number, change: Partial<Returned> = {}): Returned => ({
  way,
  freed,
  back: freed,
  waitedMs: 200,
  last: ready(),
  ...change,
});
const other = (who: string) => ({ who, closed: null as string | null, delivered: true, control: true });
const others = [other("another user"), other("the same user's other subscription")];
const returned = [back("unsubscribe", 1), back("close", 5), back("cut", 5)];
const sound: Quota = {
  limit: 10,
  tooMany: false,
  opened: 10,
  extra: full,
  forged: full,
  others,
  returned,
  end: full,
};
const firstOther = (change: object) => ({
  ...sound,
  others: [{ ...other("another user"), ...change }, ...others.slice(1)],
});
const afterCut = (change: Partial<Returned>) => ({
  ...sound,
  returned: [...returned.slice(0, 2), back("cut", 5, change)],
});
const nothingMore = { forged: null, others: [], returned: [], end: null };

const acknowledge = (id: string) => ({ type: "subscription_ack", subscription_id: id, total_rows: 0, schema: [] });
const full10 = "SUBSCRIPTION_LIMIT_EXCEEDED";

/** Turns refusals of these ids into acknowledgements. */
const admit = (name: string, pattern: RegExp): Fault =>
  frameFault(name, () => (message, { pass, fired }) => {
    const id = message["subscription_id"];
    if (message["code"] !== full10 || typeof id !== "string" || !pattern.test(id)) return pass(message);
    fired();
    pass(acknowledge(id));
  });

/** Turns acknowledgements of these ids into refusals. */
const refuse = (name: string, pattern: RegExp): Fault =>
  frameFault(name, () => (message, { pass, fired }) => {
    const id = message["subscription_id"];
    if (message["type"] !== "subscription_ack" || typeof id !== "string" || !pattern.test(id)) return pass(message);
    fired();
    pass({ type: "error", subscription_id: id, code: full10, message: "Maximum subscriptions reached" });
  });

export default proveCheck(subscriptionLimitHolds, {
  holds: [sound],
  cannotTell: [
    { ...sound, limit: null },
    { ...sound, limit: 5_000, tooMany: true, opened: 0, extra: null },
    { ...sound, opened: 4, extra: noOpening(), ...nothingMore },
    { ...sound, opened: 10, extra: refusal("RATE_LIMIT_EXCEEDED"), ...nothingMore },
    { ...sound, forged: noOpening() },
    { ...sound, end: null },
    { ...sound, others: [] },
    firstOther({ delivered: false, control: false }),
    // By anything in between.
    firstOther({ closed: "1006", delivered: false }),
    firstOther({ closed: "1006" }),
    afterCut({ back: 2, last: noOpening() }),
    { ...sound, returned: returned.slice(0, 2) },
  ],
  breaks: {
    noLimit: {
      seen: { ...sound, opened: 11, extra: null, ...nothingMore },
      // Off by one.
      fault: admit("allowOneMore", /^s10$/),
    },
    belowLimit: { seen: { ...sound, opened: 9, extra: full, ...nothingMore }, fault: refuse("allowOneLess", /^s9$/) },
    hurtOthers: {
      seen: firstOther({ delivered: false }),
      fault: starveTheFirst(),
    },
    quotaLost: {
      seen: afterCut({ back: 4, last: full, waitedMs: 21_000 }),
      fault: refuse("neverFreeTheLastOne", /^cut ([5-9]|\d{2,})$/),
    },
    quotaForged: {
      seen: { ...sound, forged: ready() },
      fault: freeForNothing(),
    },
  },
  mayBeLost: [
    {
      what: /^frame .*"s\d+"/,
      because: "it is about the limit of this user, and another's change shows that all goes on",
    },
  ],
});

/** The first connection, which is another user's, gets no more changes. */
function starveTheFirst(): Fault {
  let connections = 0;
  return frameFault("starveAnotherUser", () => {
    connections += 1;
    const own = connections;
    return (message, { pass, fired }) => {
      if (own !== 1 || message["type"] !== "change") return pass(message);
      fired();
    };
  });
}

/** An unsubscribe always frees one, whether there was such a subscription or not. */
function freeForNothing(): Fault {
  let free = 0;
  const count = messageFault("count", (message) => {
    if (message["type"] === "unsubscribe" && message["subscription_id"] === "never") free += 1;
    return undefined;
  });
  const admitOne = frameFault("unsubscribeAlwaysFrees", () => (message, { pass, fired }) => {
    const id = message["subscription_id"];
    if (message["code"] !== full10 || typeof id !== "string" || free === 0) return pass(message);
    free -= 1;
    fired();
    pass(acknowledge(id));
  });
  return { name: admitOne.name, wrap: (wire, fired) => admitOne.wrap(count.wrap(wire, fired), fired) };
}

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  quotaLost: [refuse("neverFreeWhatWasClosed", /^close /)],
  quotaForged: [admit("countWrongAfterACut", /^end$/)],
};
