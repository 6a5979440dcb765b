/** Where the PostgreSQL port of a server is, as it is written. */
import type { PostgresPlace } from "../wire/postgres/postgres.ts";
import { bare } from "../wire/way.ts";
import type { Kind } from "./values.ts";

/** `none`: it is not to be looked at. */
export const postgresPlace: Kind<PostgresPlace | "none"> = {
  expected: "a host and a port such as 127.0.0.1:5432, or none",
  schema: { type: "string", pattern: "^(none|.+:[0-9]+)$" },
  parse(text) {
    if (text === "none") return { value: "none" };
    const [, host = "", port = ""] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? [];
    const isPort = Number(port) >= 1 && Number(port) <= 65_535;
    return host !== "" && isPort ? { value: { host: bare(host), port: Number(port) } } : { code: "notAPlace" };
  },
};
