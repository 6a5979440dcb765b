import { createHash } from "node:crypto";
import { dialectName } from "../dialect.ts";
import { quote } from "./catalogue.ts";
import { datatypes } from "./datatypes.ts";
import { postgresType, types } from "./types.ts";
import { systemViews } from "./views.ts";

/**
 * The initial contents of a data folder. Users' statements run as one of three unprivileged roles; rows are stored in
 * `kalam_rows`, which those roles cannot access, behind one view per table.
 */
const foundation = `
CREATE ROLE kalam_user; CREATE ROLE kalam_service; CREATE ROLE kalam_dba BYPASSRLS;
CREATE SCHEMA kalam; CREATE SCHEMA kalam_rows; CREATE SCHEMA kalam_info; CREATE SCHEMA kalam_upsert; CREATE SCHEMA kalam_fn;
CREATE SCHEMA system; CREATE SCHEMA "default"; CREATE SCHEMA dba;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE TEMP ON DATABASE postgres FROM PUBLIC;
SET search_path = kalam_fn, pg_catalog;

CREATE TABLE kalam.namespaces (name text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now());
INSERT INTO kalam.namespaces VALUES ('default'), ('dba');
-- Per table and owner: whether there are unflushed writes, and the segments flushed so far.
CREATE TABLE kalam.scopes (
  table_id text, owner text, pending bool NOT NULL DEFAULT true, flushed int8 NOT NULL DEFAULT 0,
  segments jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (table_id, owner)
);
-- The files of segments and manifests, with the digest of what was written.
CREATE TABLE kalam.cold (table_id text, owner text, file text, digest text NOT NULL, PRIMARY KEY (table_id, owner, file));
-- Every row change in commit order. Live queries are fed from it, and resumed ones catch up from it, deletes included. It
-- is kept until the table is dropped, since a client may resume at any time.
CREATE TABLE kalam.changes (
  number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, table_id text NOT NULL, owner text NOT NULL, key text NOT NULL,
  seq int8 NOT NULL, before json, after json
);
CREATE INDEX ON kalam.changes (table_id, owner, seq);
-- The messages of topics, and the number of the last change that they include.
CREATE TABLE kalam.messages (
  topic_id text, partition_id int4, "offset" int8, key text, payload text NOT NULL, published_at timestamptz NOT NULL,
  user_id text, op text NOT NULL, PRIMARY KEY (topic_id, partition_id, "offset")
);
CREATE TABLE kalam.published (up_to int8 NOT NULL);
INSERT INTO kalam.published VALUES (0);

CREATE FUNCTION kalam.millis(timestamptz) RETURNS int8 IMMUTABLE LANGUAGE sql RETURN (extract(epoch FROM $1) * 1000)::int8;
CREATE FUNCTION kalam.sql_type(json) RETURNS text IMMUTABLE LANGUAGE sql RETURN CASE json_typeof($1)
  WHEN 'object' THEN format('DECIMAL(%s, %s)', $1->'Decimal'->>'precision', $1->'Decimal'->>'scale')
  ELSE CASE $1#>>'{}' ${types.map(([sql, kalam]) => `WHEN '${kalam}' THEN '${sql}'`).join(" ")} END END;
CREATE FUNCTION kalam.sql_default(json) RETURNS text IMMUTABLE LANGUAGE sql RETURN CASE
  WHEN json_typeof($1) <> 'object' THEN NULL
  WHEN $1->'FunctionCall' IS NOT NULL THEN ($1->'FunctionCall'->>'name') || '()'
  WHEN json_typeof($1->'Literal') = 'boolean' THEN format('Bool(%s)', $1->>'Literal')
  ELSE $1->>'Literal' END;

-- Row versions are Snowflake ids: milliseconds since 2024, then a counter; unique and increasing.
CREATE SEQUENCE kalam.seq;
CREATE FUNCTION kalam.seq_at(moment timestamptz) RETURNS int8 IMMUTABLE LANGUAGE sql
  RETURN ((extract(epoch FROM moment) * 1000)::int8 - 1704067200000) << 22;
CREATE FUNCTION kalam.moment_of(seq int8) RETURNS timestamptz IMMUTABLE LANGUAGE sql
  RETURN timestamptz '2024-01-01 00:00:00+00' + (seq >> 22) * interval '1 millisecond';
CREATE FUNCTION kalam_fn.snowflake_id() RETURNS int8 SECURITY DEFINER LANGUAGE plpgsql AS $$
DECLARE lowest int8 := kalam.seq_at(clock_timestamp()); latest int8 := nextval('kalam.seq');
BEGIN
  IF latest >= lowest THEN RETURN latest; END IF;
  RETURN setval('kalam.seq', lowest);
END $$;
CREATE FUNCTION kalam_fn.who() RETURNS text STABLE SECURITY DEFINER LANGUAGE sql RETURN current_setting('kalam.uid', true);
CREATE FUNCTION kalam_fn.uuid_v7() RETURNS text LANGUAGE sql RETURN uuidv7()::text;
CREATE FUNCTION kalam_fn.ulid() RETURNS text LANGUAGE sql RETURN upper(left(replace(uuidv7()::text, '-', ''), 26));
CREATE FUNCTION kalam_fn.version() RETURNS text SECURITY DEFINER LANGUAGE sql
  RETURN 'kalam-sandbox on PostgreSQL ' || current_setting('server_version');

-- Before each write: the server sets the owner and the version of the row.
CREATE FUNCTION kalam.stamp() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
BEGIN
  NEW._user := CASE TG_ARGV[0] WHEN 'shared' THEN '' ELSE kalam_fn.who() END;
  NEW._seq := kalam_fn.snowflake_id();
  RETURN NEW;
END $$;
-- After each write: logs the changes and marks the scope as unflushed. A delete gets a version of its own, so that clients
-- can resume from it. Names begin with an underscore, which no user column may, to avoid collisions.
CREATE FUNCTION kalam.note() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
DECLARE _kind text := TG_ARGV[0]; _table text := TG_ARGV[1]; _key text := TG_ARGV[2];
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO kalam.changes (table_id, owner, key, seq, after)
      SELECT _table, _user, row_to_json(_new)->>_key, _seq, row_to_json(_new) FROM touched _new ORDER BY _seq;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO kalam.changes (table_id, owner, key, seq, before, after)
      SELECT _table, n._user, n._row->>_key, n._seq, o._row, n._row
        FROM (SELECT _user, _seq, row_to_json(_new) AS _row FROM touched _new) n
        JOIN (SELECT _user, row_to_json(_old) AS _row FROM replaced _old) o ON o._user = n._user AND o._row->>_key = n._row->>_key
        ORDER BY n._seq;
  ELSE
    INSERT INTO kalam.changes (table_id, owner, key, seq, before)
      SELECT _table, _user, row_to_json(_old)->>_key, kalam_fn.snowflake_id(), row_to_json(_old) FROM touched _old;
  END IF;
  IF NOT FOUND THEN RETURN NULL; END IF;
  INSERT INTO kalam.scopes (table_id, owner) VALUES (_table, CASE _kind WHEN 'shared' THEN '' ELSE kalam_fn.who() END)
    ON CONFLICT (table_id, owner) DO UPDATE SET pending = true WHERE NOT scopes.pending;
  RETURN NULL;
END $$;

-- KalamDB's type names; sums and averages with KalamDB's result types.
CREATE DOMAIN kalam_fn.double AS float8; CREATE DOMAIN kalam_fn.string AS text;
CREATE DOMAIN kalam_fn.bytes AS bytea; CREATE DOMAIN kalam_fn.datetime AS timestamptz;
CREATE AGGREGATE kalam_fn.sum(int8) (SFUNC = int8pl, STYPE = int8);
${["int2", "int4", "int8"].map(averageOf).join("\n")}
-- Numbers that do not fit are rejected, not rounded; a number cast to a timestamp is in microseconds.
UPDATE pg_cast SET castcontext = 'e' WHERE casttarget::regtype::text IN ('smallint', 'integer', 'bigint')
  AND castsource::regtype::text IN ('numeric', 'real', 'double precision');
CREATE FUNCTION kalam.moment(int8) RETURNS timestamptz IMMUTABLE LANGUAGE sql
  RETURN timestamptz '1970-01-01 00:00:00+00' + $1 * interval '1 microsecond';
CREATE CAST (int8 AS timestamptz) WITH FUNCTION kalam.moment(int8) AS ASSIGNMENT;
`;

function averageOf(type: string): string {
  return `CREATE FUNCTION kalam_fn.add_up(float8[], ${type}) RETURNS float8[] IMMUTABLE STRICT LANGUAGE sql
    RETURN float8_accum($1, $2::float8);
  CREATE AGGREGATE kalam_fn.avg(${type}) (SFUNC = kalam_fn.add_up, STYPE = float8[], INITCOND = '{0,0,0}', FINALFUNC = float8_avg);`;
}

function systemView(name: string, { columns, from }: (typeof systemViews)[string]): string {
  if (from !== undefined)
    return `CREATE VIEW system.${name} (${columns.map((c) => quote(c.column_name)).join(", ")}) AS ${from};`;
  const defined = columns.map(
    (c) => `${quote(c.column_name)} ${postgresType(c.data_type)}${c.is_nullable ? "" : " NOT NULL"}`,
  );
  return `CREATE TABLE system.${name} (${defined.join(", ")});`;
}

/** Lists a system view in the catalogue. */
function describeView(name: string, { columns }: (typeof systemViews)[string]): string {
  const plain = columns.map((column) => ({ ...column, milliseconds: undefined }));
  return `INSERT INTO system.schemas VALUES ('system:${name}', '${name}', 'system', 'system', now(), 1, '${JSON.stringify(plain)}',
    NULL, now(), '{"table_type":"SYSTEM","read_only":true}', NULL, true, NULL, NULL);`;
}

const informationSchema = `
CREATE VIEW kalam_info.schemata AS SELECT 'kalam'::text AS catalog_name, name AS schema_name, NULL::text AS schema_owner,
  NULL::text AS default_character_set_catalog, NULL::text AS default_character_set_schema,
  NULL::text AS default_character_set_name, NULL::text AS sql_path
  FROM (SELECT name FROM kalam.namespaces UNION SELECT 'system') named;
CREATE VIEW kalam_info.tables AS SELECT 'kalam'::text AS table_catalog, namespace_id AS table_schema, table_name,
  CASE table_type WHEN 'system' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type
  FROM system.schemas WHERE is_latest AND has_table_privilege(current_user, format('%I.%I', namespace_id, table_name), 'SELECT');
CREATE VIEW kalam_info.columns AS SELECT table_catalog, table_schema, t.table_name, column_name,
  (ordinal - 1)::text AS ordinal_position, default_value AS column_default,
  CASE WHEN nullable THEN 'YES' ELSE 'NO' END AS is_nullable, data_type
  FROM kalam_info.tables t JOIN system.columns c ON c.namespace_id = t.table_schema AND c.table_name = t.table_name;
`;

/**
 * Revokes PostgreSQL functions that reach beyond a statement (files, settings, other sessions, SQL in a string) or that only
 * wait. Operators and casts need the rest, so this is a deny list.
 */
const guards = `
DO $$ DECLARE taken regprocedure; BEGIN
  FOR taken IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~
    '^(pg_|lo_|lowrite|loread|set_config|current_setting|inet_|txid_|ts_stat|ts_rewrite|has_.*privilege|currtid|.*_to_xml|.*_to_xml_and_|.*_to_xmlschema)'
  LOOP EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', taken); END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION current_setting(text), pg_typeof("any") TO kalam_user, kalam_service, kalam_dba;
REVOKE EXECUTE ON FUNCTION current_setting(text) FROM kalam_user, kalam_service;
GRANT EXECUTE ON FUNCTION has_table_privilege(name, text, text) TO kalam_user, kalam_service, kalam_dba;
REVOKE ALL ON ALL TABLES IN SCHEMA pg_catalog FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA information_schema FROM PUBLIC;
GRANT USAGE ON SCHEMA kalam_fn, kalam_info, kalam_upsert, "default", dba TO kalam_user, kalam_service, kalam_dba;
GRANT SELECT ON ALL TABLES IN SCHEMA kalam_info TO kalam_user, kalam_service, kalam_dba;
GRANT USAGE ON SCHEMA system TO kalam_user, kalam_service, kalam_dba;
GRANT SELECT ON ALL TABLES IN SCHEMA system TO kalam_dba;
`;

const views = Object.entries(systemViews);

/** All statements, in order; the last one, completed below, records the schema version. */
const statements: string = [
  foundation,
  // Tables first, since the views read them.
  ...views.filter(([, view]) => view.from === undefined).map(([name, view]) => systemView(name, view)),
  ...views.filter(([, view]) => view.from !== undefined).map(([name, view]) => systemView(name, view)),
  "CREATE UNIQUE INDEX ON system.users (user_id); CREATE UNIQUE INDEX ON system.jobs (job_id);",
  "CREATE UNIQUE INDEX ON system.topics (topic_id); CREATE UNIQUE INDEX ON system.topic_offsets (topic_id, group_id, partition_id);",
  ...views.map(([name, view]) => describeView(name, view)),
  `INSERT INTO system.users VALUES ('root', '', 'system', 'root@localhost', 'Internal', NULL, 'Table', 'local', 0, NULL, NULL, now(), now(), NULL, NULL);`,
  `INSERT INTO system.storages VALUES ('local', 'Local Filesystem', 'Default local filesystem storage', 'filesystem', '', NULL, NULL,
    '{namespace}/{tableName}', '{namespace}/{tableName}/{userId}', now(), now());`,
  `INSERT INTO system.datatypes VALUES ${datatypes.map((row) => `(${row.map((cell) => `'${cell}'`).join(", ")})`).join(", ")};`,
  informationSchema,
  guards,
  "COMMENT ON SCHEMA kalam IS ",
].join("\n");

/** The sandbox opens only data folders with its own schema version. */
export const schemaVersion: string = createHash("sha256")
  .update(dialectName + statements)
  .digest("hex")
  .slice(0, 12);
export const bootstrapScript = `${statements}'${schemaVersion}'`;
