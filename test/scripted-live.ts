/** Live connections of a scripted server: what each subscription is told, a test decides. */
import type { Account, Change, Frame, Live, Row, Target } from "../src/server/target.ts";
import type { Begun } from "../src/server/feed.ts";
import type { Json } from "../src/wire/json.ts";

export interface ScriptedSubscription {
  readonly id: string;
  /** The account, and the number of its connection, counted from 0 over all of them. */
  readonly as: string;
  readonly connection: number;
}

/** What is not given is as a healthy server does it. */
export interface LiveScript {
  /** Undefined: acknowledged. */
  readonly begin?: (one: ScriptedSubscription, open: readonly ScriptedSubscription[]) => Begun | undefined;
  /** Whether a change reaches a subscription. */
  readonly delivers?: (one: ScriptedSubscription, row: Row) => boolean;
  /** Connections that cannot be opened, by their number. */
  readonly refuses?: (connection: number) => boolean;
  /** What the server answers to a raw message: a frame, or the code of a close. Nothing where it is not given. */
  readonly answers?: (
    message: Json | string,
    connection: number,
  ) => Readonly<Record<string, Json>> | number | undefined;
}

export interface ScriptedLive {
  readonly live: Target["live"];
  /** Tells all open subscriptions of a row. */
  publish(row: Row): void;
  /** The subscriptions that the server has open, until it has noticed the end of their connections. */
  open(): readonly ScriptedSubscription[];
  /** How each connection ended, in the order in which they were opened; undefined while it is open. */
  ends(): readonly (number | undefined)[];
  /** The server closes a connection. */
  close(connection: number, code: number, reason: string): void;
}

interface Connection {
  closed: ReturnType<Live["closed"]>;
  readonly subscriptions: Map<string, { readonly one: ScriptedSubscription; readonly changes: Change[] }>;
}

/** Changes arrive as soon as they are published, so that nothing has to be awaited. */
export function scriptedLive(script: LiveScript = {}): ScriptedLive {
  const { begin, delivers = () => true, refuses = () => false, answers = () => undefined } = script;
  const connections: Connection[] = [];
  const open = (): ScriptedSubscription[] =>
    connections.flatMap(({ closed, subscriptions }) =>
      closed === undefined ? [...subscriptions.values()].map(({ one }) => one) : [],
    );
  const close = (number: number, code: number, reason: string): void => {
    const connection = connections[number];
    if (connection !== undefined) connection.closed ??= { code, reason, at: 1 } as Connection["closed"];
  };
  return {
    open,
    ends: () => connections.map(({ closed }) => closed?.code),
    close,
    publish(row) {
      for (const { closed, subscriptions } of connections)
        for (const { one, changes } of subscriptions.values())
          if (closed === undefined && delivers(one, row)) changes.push({ kind: "insert", row, old: null, at: 1 });
    },
    live: async (as: Account | null) => {
      const number = connections.length;
      const connection: Connection = { closed: undefined, subscriptions: new Map() };
      connections.push(connection);
      const { subscriptions } = connection;
      const frames: object[] = [];
      const subscribe = async (sql: string, _: unknown, id = ""): Promise<unknown> => {
        const one = { id, as: as?.name ?? "", connection: number };
        const begun = begin?.(one, open());
        const changes: Change[] = [];
        if (begun === undefined) subscriptions.set(id, { one, changes });
        return await Promise.resolve({
          id,
          sql,
          exchange: 100 + number,
          changes,
          notices: [],
          begin: async () => await Promise.resolve(begun ?? { kind: "ready", rows: [], pages: [[]], at: 1 }),
          untilChange: async (holds: (change: Change) => boolean) => await Promise.resolve(changes.find(holds)),
          unsubscribe: () => subscriptions.delete(id),
        });
      };
      const end = (code: number) => (): void => close(number, code, "");
      const made = {
        login: { kind: "in" },
        openedAt: 0,
        closed: () => connection.closed,
        subscribe,
        frames,
        send: (message: Json | string) => {
          const answer = answers(message, number);
          if (typeof answer === "number") close(number, answer, "");
          else if (answer !== undefined)
            frames.push({
              type: answer["type"],
              json: answer,
              about: answer["subscription_id"],
              at: performance.now(),
            });
          return 100 + number;
        },
        untilFrame: async (holds: (frame: Frame) => boolean, _: number, from = 0) =>
          await Promise.resolve((frames as Frame[]).slice(from).find(holds)),
        untilClosed: async () => await Promise.resolve(connection.closed),
        close: end(1000),
        reset: end(1006),
      };
      return await Promise.resolve((refuses(number) ? { why: "no more connections" } : made) as unknown as Live);
    },
  };
}
