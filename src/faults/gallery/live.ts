/** Faults of live queries: events, resuming, pages. */
import { cellText, integerText, isRecord, type Json } from "../../wire/json.ts";
import type { Fault } from "../../proof.ts";
import { ageFault, changeFault, frameFault, messageFault, rowIn, swapFault } from "../live.ts";
import { member, type Member } from "./member.ts";

type Message = { readonly [key: string]: Json };
const isKind = (kind: string) => (message: Message) => message["change_type"] === kind;

/** Subscriptions with other options or another statement than the client sent. */
function subscribeWith(name: string, change: (subscription: Message) => Message | undefined): Fault {
  return messageFault(name, (message) => {
    const subscription = message["subscription"];
    if (message["type"] !== "subscribe" || !isRecord(subscription)) return undefined;
    const other = change(subscription);
    return other === undefined ? undefined : [{ ...message, subscription: other }];
  });
}

const optionsOf = (subscription: Message): Message =>
  isRecord(subscription["options"]) ? subscription["options"] : {};

/** Of resumed subscriptions alone: what to do with each frame. `first`: whether it is the first of its type. */
function onResumed(name: string, meddle: (message: Message, first: boolean) => readonly Message[] | undefined): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { socket: open } = wire;
      if (open === undefined) return wire;
      return {
        ...wire,
        async socket(request, listener) {
          const resumed = new Set<string>();
          const seen = new Set<string>();
          const watched = messageFault("", (message) => {
            const subscription = message["subscription"];
            if (isRecord(subscription) && optionsOf(subscription)["from"] !== undefined)
              resumed.add(cellText(subscription["id"]));
            return undefined;
          }).wrap(wire, () => {});
          const faulty = frameFault("", () => (message, { pass }) => {
            const id = cellText(message["subscription_id"]);
            const key = `${id} ${cellText(message["type"])}`;
            const others = resumed.has(id) ? meddle(message, !seen.has(key)) : undefined;
            seen.add(key);
            if (others === undefined) return pass(message);
            fired();
            for (const other of others) pass(other);
          }).wrap(watched, fired);
          return await (faulty.socket ?? open)(request, listener);
        },
      };
    },
  };
}

/** Each change is delivered to the next connection, too, under the id of its latest subscription. */
const deliverToTheNextUser: Fault = {
  name: "deliverToTheNextUser",
  wrap(wire, fired) {
    const others: { readonly pass: (message: Message) => void; id: string }[] = [];
    return frameFault("", () => {
      let own: (typeof others)[number] | undefined;
      return (message, { pass }) => {
        if (message["type"] === "subscription_ack") {
          const id = cellText(message["subscription_id"]);
          if (own === undefined) others.push((own = { pass, id }));
          else own.id = id;
        }
        pass(message);
        if (message["type"] !== "change" || own === undefined) return;
        const next = others[others.indexOf(own) + 1];
        if (next === undefined) return;
        fired();
        next.pass({ ...message, subscription_id: next.id });
      };
    }).wrap(wire, fired);
  },
};

/** On one connection, changes of each subscription are delivered under another one's id. */
const crossSubscriptions = frameFault("crossSubscriptions", () => {
  const ids: string[] = [];
  let changes = 0;
  return (message, { pass, fired }) => {
    const id = cellText(message["subscription_id"]);
    if (message["type"] === "subscription_ack") ids.push(id);
    const other = ids[(ids.indexOf(id) + 1) % Math.max(1, ids.length)] ?? id;
    if (message["type"] !== "change" || other === id || (changes += 1) % 7 !== 0) return pass(message);
    fired();
    pass(message);
    pass({ ...message, subscription_id: other });
  };
});

const withoutFirstRow = (message: Message): Message => {
  const rows = message["rows"];
  return Array.isArray(rows) ? { ...message, rows: rows.slice(1) as readonly Json[] } : message;
};
const hasRows = (message: Message): boolean => Array.isArray(message["rows"]) && message["rows"].length > 1;

/** The same cell of every row of a frame, changed. */
function inRows(message: Message, list: string, change: (row: Message) => Message): Message {
  const rows = message[list];
  return Array.isArray(rows)
    ? { ...message, [list]: rows.map((row) => (isRecord(row as Json) ? change(row as Message) : (row as Json))) }
    : message;
}

const lostOnTheWay = "subscriptions/every-change-arrives/lostOnTheWay";

export const liveFaults: readonly Member[] = [
  member(
    "time",
    "Changes stop ten seconds after a subscription began, and the connection lives on",
    ["subscriptions/old-connections-deliver/wentSilent"],
    ageFault("fallSilentAfterTenSeconds", 10_000, ({ message, pass, fired }) => {
      if (message["type"] === "change") fired();
      else pass(message);
    }),
    "standard",
  ),
  member(
    "events",
    "One change in forty is not delivered",
    [lostOnTheWay],
    changeFault("dropOneChangeInForty", 40, () => []),
  ),
  member(
    "events",
    "One change in forty is delivered twice",
    ["subscriptions/no-change-twice/doubled"],
    changeFault("doubleOneChangeInForty", 40, (change) => [change, change]),
  ),
  member(
    "events",
    "Deletions are not delivered",
    [lostOnTheWay],
    changeFault("deliverNoDeletions", 1, () => [], isKind("delete")),
  ),
  member(
    "events",
    "Every tenth UPDATE is delivered as an INSERT",
    ["subscriptions/change-content-right/wrongKind"],
    changeFault("callUpdatesInserts", 10, (change) => [{ ...change, change_type: "insert" }], isKind("update")),
  ),
  member(
    "events",
    "An UPDATE is delivered with the values that the row had before",
    ["subscriptions/change-content-right/wrongRow", lostOnTheWay],
    changeFault(
      "deliverTheOldRow",
      5,
      (change) => {
        const old = rowIn({ rows: change["old_values"] ?? null });
        return [inRows(change, "rows", (row) => ({ ...row, ...old }))];
      },
      (change) => isKind("update")(change) && Array.isArray(change["old_values"]),
    ),
  ),
  member(
    "events",
    "NULL arrives as an empty text",
    ["subscriptions/change-content-right/wrongRow"],
    changeFault(
      "deliverEmptyTextForNull",
      1,
      (change) => [
        inRows(change, "rows", (row) =>
          Object.fromEntries(Object.entries(row).map(([column, cell]) => [column, cell ?? ""])),
        ),
      ],
      (change) => isKind("insert")(change) && Object.values(rowIn(change)).includes(null),
    ),
  ),
  member(
    "order",
    "Two changes of one row are delivered in the wrong order",
    ["subscriptions/changes-in-order/wentBack"],
    swapFault(
      "swapTwoChangesOfARow",
      isKind("insert"),
      (first, second) => isKind("update")(second) && rowIn(first)["id"] === rowIn(second)["id"],
    ),
  ),
  member(
    "rights",
    "Changes are delivered to the next user as well",
    ["subscriptions/own-events-only/foreignEvent", "validation/own-rows-only/foreignEvents"],
    deliverToTheNextUser,
  ),
  member(
    "names",
    "Changes reach another subscription of the connection",
    ["subscriptions/parallel-subscriptions-separate/crossed"],
    crossSubscriptions,
  ),
  member(
    "events",
    "The condition of a live query is ignored",
    ["subscriptions/filter-agrees-with-select/leakedByFilter"],
    subscribeWith("ignoreTheCondition", (subscription) => {
      const sql = cellText(subscription["sql"]);
      return / WHERE /i.test(sql) ? { ...subscription, sql: sql.replace(/ WHERE .*/is, "") } : undefined;
    }),
  ),
  member(
    "events",
    "A live query with OR uses only the first condition",
    ["subscriptions/filter-agrees-with-select/lostByFilter"],
    subscribeWith("useTheFirstCondition", (subscription) => {
      const sql = cellText(subscription["sql"]);
      return / OR /i.test(sql) ? { ...subscription, sql: sql.replace(/ OR .*/is, "") } : undefined;
    }),
  ),
  member(
    "events",
    "The end of a subscription is ignored",
    ["subscriptions/unsubscribe-silences/goesOn"],
    messageFault("ignoreUnsubscribe", (message) => (message["type"] === "unsubscribe" ? [] : undefined)),
  ),
  member(
    "events",
    "The snapshot lacks a row",
    [
      "subscriptions/snapshot-then-changes/wrongSnapshot",
      "subscriptions/cursor-exact/missing",
      "subscriptions/options-honoured/wrongWindow",
    ],
    frameFault("leaveARowOutOfTheSnapshot", () => (message, { pass, fired }) => {
      if (message["type"] !== "initial_data_batch" || !hasRows(message)) return pass(message);
      fired();
      pass(withoutFirstRow(message));
    }),
  ),
  member(
    "limits",
    "Each further page of a snapshot begins with the last row of the page before",
    ["subscriptions/cursor-exact/doubled", "subscriptions/options-honoured/doubledPage"],
    messageFault("beginPagesOneRowEarly", (message) => {
      const cursor = integerText(message["last_seq_id"]);
      if (message["type"] !== "next_batch" || cursor === undefined) return undefined;
      const earlier = String(BigInt(cursor) - 1n);
      return [{ ...message, last_seq_id: typeof message["last_seq_id"] === "string" ? earlier : { exact: earlier } }];
    }),
  ),
  member(
    "limits",
    "The last row of each page but the last is left out",
    ["subscriptions/cursor-exact/missing", "subscriptions/options-honoured/lostPage"],
    frameFault("leaveOutTheLastRowOfAPage", () => (message, { pass, fired }) => {
      const rows = message["rows"];
      const control = message["batch_control"];
      const hasMore = isRecord(control) && control["has_more"] === true;
      if (message["type"] !== "initial_data_batch" || !hasMore || !Array.isArray(rows)) return pass(message);
      fired();
      pass({ ...message, rows: rows.slice(1) as readonly Json[] });
    }),
  ),
  member(
    "limits",
    "The option last_rows is ignored",
    ["subscriptions/options-honoured/wrongWindow"],
    subscribeWith("ignoreLastRows", (subscription) => {
      const { last_rows: last, ...options } = optionsOf(subscription);
      return last === undefined ? undefined : { ...subscription, options };
    }),
  ),
  member(
    "resume",
    "After a subscription is resumed, the first change comes twice",
    ["subscriptions/resume-complete/repeated"],
    onResumed("firstChangeTwice", (message, first) =>
      message["type"] === "change" && first ? [message, message] : undefined,
    ),
  ),
  member(
    "resume",
    "A resumed subscription lacks the first row that was missed",
    ["subscriptions/resume-complete/lostOnResume", "subscriptions/cut-survived/lostOnResume"],
    onResumed("lackTheFirstMissedRow", (message, first) =>
      message["type"] === "initial_data_batch" && first && hasRows(message) ? [withoutFirstRow(message)] : undefined,
    ),
  ),
  member(
    "resume",
    "A resumed subscription starts over",
    ["subscriptions/resume-complete/repeated"],
    subscribeWith("startOver", (subscription) => {
      const { from, ...options } = optionsOf(subscription);
      return from === undefined ? undefined : { ...subscription, options };
    }),
  ),
  member(
    "resume",
    "A resumed subscription is not told of deletions",
    ["subscriptions/resume-complete/ghostRows"],
    onResumed("forgetDeletionsWhileAway", (message) => {
      if (isKind("delete")(message)) return [];
      const rows = message["rows"];
      if (message["type"] !== "initial_data_batch" || !Array.isArray(rows)) return undefined;
      const left = rows.filter((row) => !(isRecord(row as Json) && (row as Message)["_deleted"] === true));
      return left.length === rows.length ? undefined : [{ ...message, rows: left as readonly Json[] }];
    }),
  ),
  member(
    "resume",
    "A resumed subscription gets the rows and then no changes",
    ["subscriptions/resume-complete/silentAfterResume"],
    onResumed("noChangesAfterResuming", (message) => (message["type"] === "change" ? [] : undefined)),
  ),
];
