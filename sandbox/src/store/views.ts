import { dialect } from "../dialect.ts";
import { columnOf, type Column } from "./types.ts";

/**
 * The `system` views: their columns in order, and the query for the rows. After a name comes its type (t TEXT, j JSON,
 * b BIGINT, i INT, s SMALLINT, f FLOAT, o BOOLEAN, m a timestamp in milliseconds, u one in microseconds), then `*` for a key
 * or `!` for NOT NULL. Without `from` it is a stored table.
 */
export interface View {
  readonly columns: readonly ViewColumn[];
  readonly from?: string;
}

interface ViewColumn extends Column {
  readonly milliseconds: boolean;
}

const typeLetters: Readonly<Record<string, string>> = {
  t: "TEXT",
  j: "JSON",
  b: "BIGINT",
  i: "INT",
  s: "SMALLINT",
  f: "FLOAT",
  o: "BOOLEAN",
  m: "TIMESTAMP",
  u: "TIMESTAMP",
};

function view(columns: string, from?: string): View {
  const parsed = columns.split(" ").map((text, index) => {
    const [name = "", type = ""] = text.split(":");
    const flags = { nullable: type.length === 1, primaryKey: type.endsWith("*") };
    const column = columnOf(index + 1, name, typeLetters[type.charAt(0)] ?? "TEXT", flags);
    return Object.assign(column, { milliseconds: type.startsWith("m") });
  });
  return { columns: parsed, ...(from === undefined ? {} : { from }) };
}

/** Figures of the running process, set just before a statement that reads them. */
const processFigures = (name: string): string => `current_setting('kalam.${name}')::json`;

export const systemViews: Readonly<Record<string, View>> = {
  users: view(
    "user_id:t* password_hash:t! role:t! email:t auth_type:t! auth_data:j storage_mode:t! storage_id:t " +
      "failed_login_attempts:i! locked_until:m last_login_at:m created_at:m! updated_at:m! last_seen:m deleted_at:m",
  ),
  namespaces: view(
    "namespace_id:t* name:t! created_at:m! options:j table_count:i!",
    `SELECT name, name, created_at, '{}', (SELECT count(*)::int FROM system.schemas s
       WHERE s.namespace_id = n.name AND s.is_latest) FROM kalam.namespaces n`,
  ),
  schemas: view(
    "table_id:t* table_name:t! namespace_id:t! table_type:t! created_at:u! schema_version:i! columns:j! table_comment:t " +
      "updated_at:u! options:j access_level:t is_latest:o! storage_id:t use_user_storage:o",
  ),
  tables: view(
    "namespace_id:t! table_name:t! table_type:t! storage_id:t version:b! options:t comment:t updated_at:m! created_at:m!",
    `SELECT namespace_id, table_name, table_type, options::json->>'storage_id', schema_version::int8, options, table_comment,
       updated_at, created_at FROM system.schemas WHERE is_latest`,
  ),
  columns: view(
    "namespace_id:t! table_name:t! version:b! column_id:b! column_name:t! comment:t data_type:t! default_value:t " +
      "ordinal:b! nullable:o! primary_key:o! primary_key_pos:b",
    `SELECT namespace_id, table_name, schema_version::int8, (c->>'column_id')::int8, c->>'column_name', c->>'column_comment',
       kalam.sql_type(c->'data_type'), kalam.sql_default(c->'default_value'), (c->>'ordinal_position')::int8,
       (c->>'is_nullable')::bool, (c->>'is_primary_key')::bool, CASE WHEN (c->>'is_primary_key')::bool THEN 1::int8 END
     FROM system.schemas, json_array_elements(columns::json) c WHERE is_latest`,
  ),
  storages: view(
    "storage_id:t* storage_name:t! description:t storage_type:t! base_directory:t! credentials:j config_json:j " +
      "shared_tables_template:t! user_tables_template:t! created_at:m! updated_at:m!",
  ),
  jobs: view(
    "job_id:t* job_type:t! status:t! leader_status:t parameters:j message:t exception_trace:t idempotency_key:t queue:t " +
      "priority:i retry_count:s! max_retries:s! memory_used:b cpu_used:b created_at:m! updated_at:m! started_at:m " +
      "finished_at:m node_id:b! leader_node_id:b",
  ),
  job_nodes: view(
    "job_id:t* node_id:b* status:t! error_message:t created_at:m! started_at:m finished_at:m updated_at:m!",
    `SELECT job_id, 1::int8, status, CASE WHEN status = 'failed' THEN message END, created_at, started_at, finished_at,
       updated_at FROM system.jobs`,
  ),
  live: view(
    "live_id:t* connection_id:t! subscription_id:t! namespace_id:t! table_name:t! user_id:t! query:t! options:j status:t! " +
      "created_at:u! last_update:u! changes:b! node_id:b! last_ping_at:u!",
    `SELECT q->>'live_id', q->>'connection_id', q->>'subscription_id', q->>'namespace_id', q->>'table_name', q->>'user_id',
       q->>'query', q->>'options', 'active', to_timestamp((q->>'created_ms')::float8 / 1000),
       to_timestamp((q->>'updated_ms')::float8 / 1000), (q->>'changes')::int8, 1::int8,
       to_timestamp((q->>'heard_ms')::float8 / 1000) FROM json_array_elements(${processFigures("live")}) q`,
  ),
  sessions: view(
    "session_id:t! backend_pid:b current_schema:t state:t! transaction_id:t transaction_state:t transaction_has_writes:o! " +
      "client_addr:t transport:t! opened_at:m! last_seen_at:m! last_method:t" +
      (dialect.sessionOrigin ? " origin:t! authenticated_user_id:t" : ""),
    `SELECT s->>'id', (s->>'pid')::int8, s->>'namespace', 'idle', NULL::text, NULL::text, false, s->>'address', 'tcp',
       (s->>'openedAt')::timestamptz, (s->>'openedAt')::timestamptz, NULL::text${
         dialect.sessionOrigin ? ", 'wire_protocol', s->>'user'" : ""
       } FROM json_array_elements(${processFigures("sessions")}) s`,
  ),
  transactions: view(
    "transaction_id:t! owner_id:t! origin:t! state:t! age_ms:b! idle_ms:b! write_count:b! write_bytes:b! " +
      "touched_tables_count:b! snapshot_commit_seq:b!",
  ),
  topics: view(
    "topic_id:t* name:t! alias:t partitions:i! retention_seconds:b retention_max_bytes:b routes:j! created_at:m! updated_at:m!",
  ),
  topic_offsets: view("topic_id:t* group_id:t* partition_id:i* last_acked_offset:b! updated_at:m!"),
  audit_log: view(
    "audit_id:t* timestamp:m! actor_user_id:t! action:t! target:t! details:t ip_address:t subject_user_id:t",
  ),
  manifest: view(
    "cache_key:t* namespace_id:t! table_name:t! scope:t! etag:t last_refreshed:u! last_accessed:u! in_memory:o! " +
      "sync_state:t! manifest_json:j!",
    `SELECT replace(table_id, '.', ':') || ':' || coalesce(nullif(owner, ''), 'shared'), split_part(table_id, '.', 1),
       split_part(table_id, '.', 2), coalesce(nullif(owner, ''), 'shared'), NULL::text, updated_at, updated_at, true,
       CASE WHEN pending THEN 'pending_write' ELSE 'in_sync' END,
       jsonb_build_object('table_id', table_id, 'user_id', nullif(owner, ''), 'version', 1 + jsonb_array_length(segments),
         'created_at', kalam.millis(created_at), 'updated_at', kalam.millis(updated_at), 'segments', segments,
         'last_sequence_number', greatest(jsonb_array_length(segments) - 1, 0), 'files', NULL, 'vector_indexes', '{}'::json)::text
     FROM kalam.scopes`,
  ),
  stats: view("metric_name:t! metric_value:t!", `SELECT key, value FROM json_each_text(${processFigures("stats")})`),
  settings: view(
    "name:t! value:t! description:t! category:t!",
    `SELECT s->>0, s->>1, s->>2, split_part(s->>0, '.', 1) FROM json_array_elements(${processFigures("settings")}) s`,
  ),
  server_logs: view("timestamp:t! level:t! thread:t target:t line:b message:t!"),
  cluster: view(
    "cluster_id:t! node_id:b! role:t! status:t! rpc_addr:t! api_addr:t! is_self:o! is_leader:o! groups_leading:i! " +
      "total_groups:i! current_term:b last_applied_log:b leader_last_log_index:b snapshot_index:b catchup_progress_pct:s " +
      "replication_lag:b hostname:t version:t memory_mb:b memory_usage_mb:b cpu_usage_percent:f uptime_seconds:b " +
      "uptime_human:t os:t arch:t",
    `SELECT c->>'cluster_id', 1::int8, 'leader', 'active', c->>'rpc_addr', c->>'api_addr', true, true, 1, 1, 1::int8,
       NULL::int8, NULL::int8, NULL::int8, NULL::int2, NULL::int8, c->>'hostname', c->>'version', (c->>'memory_mb')::int8,
       (c->>'memory_usage_mb')::int8, NULL::float4, (c->>'uptime_seconds')::int8, c->>'uptime_human', c->>'os', c->>'arch'
     FROM (SELECT ${processFigures("cluster")} c) one`,
  ),
  cluster_groups: view(
    "group_id:b! cluster_id:t! node_id:b! group_type:t! current_term:b vote:j last_log_index:b last_applied:b snapshot:b " +
      "purged:b committed:b state:t current_leader:b millis_since_quorum_ack:b",
  ),
  datatypes: view("arrow_type:t! kalam_type:t! sql_name:t! description:t!"),
  // Named after the fields of the type; that they are the columns is assumed.
  ...(dialect.sharedAccess === "policies"
    ? {
        table_policies: view(
          "policy_id:t* table_id:t! policy_name:t! command:t! targets:j! using_sql:t with_check_sql:t",
        ),
      }
    : {}),
};
