import { dialect } from "./dialect.ts";

/** The settings shown in `system.settings`, each with its default and description. */
const shownSettings = {
  "server.host": ["127.0.0.1", "Address to listen on"],
  "server.port": [dialect.port, "Port to listen on"],
  "server.workers": [0, "Worker threads, 0 for one per core"],
  "server.enable_http2": [true, "Whether HTTP/2 is offered"],
  "server.public_origin": ["http://localhost:8080", "Address that clients are told"],
  "server.api_version": ["v1", "Prefix of the API's paths"],
  "storage.data_path": ["./data", "Folder of everything that is stored"],
  "storage.rocksdb.cf_profiles.system_meta.write_buffer_size": [32768, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.system_meta.max_write_buffers": [2, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.system_index.write_buffer_size": [32768, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.system_index.max_write_buffers": [2, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.hot_data.write_buffer_size": [131072, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.hot_data.max_write_buffers": [2, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.hot_index.write_buffer_size": [65536, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.hot_index.max_write_buffers": [2, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.raft.write_buffer_size": [262144, "Unused: there is no RocksDB"],
  "storage.rocksdb.cf_profiles.raft.max_write_buffers": [2, "Unused: there is no RocksDB"],
  "storage.rocksdb.block_cache_size": [2097152, "Unused: there is no RocksDB"],
  "datafusion.memory_limit": [33554432, "Unused: there is no DataFusion"],
  "datafusion.batch_size": [1024, "Unused: there is no DataFusion"],
  "datafusion.query_parallelism": [2, "Unused: there is no DataFusion"],
  "datafusion.max_partitions": [4, "Unused: there is no DataFusion"],
  "limits.max_message_size": [1048576, "Largest message in bytes"],
  "limits.max_query_limit": [1000, "Most rows that a SELECT returns"],
  "limits.default_query_limit": [50, "Rows that a SELECT without LIMIT returns"],
  "logging.level": ["info", "What is logged"],
  "logging.format": ["compact", "How it is logged"],
  "logging.logs_path": ["./logs", "Folder of the logs"],
  "flush.default_row_limit": [10000, "Rows after which a table is flushed"],
  "flush.default_time_interval": [300, "Seconds after which a table is flushed"],
  "flush.check_interval_seconds": [60, "Seconds between looks for tables to flush"],
  "manifest_cache.max_entries": [500, "Most manifests kept in memory"],
  "manifest_cache.eviction_ttl_days": [7, "Days that a manifest stays in memory"],
  "retention.default_deleted_retention_hours": [168, "Hours that deleted rows are kept"],
  "stream.default_ttl_seconds": [10, "Seconds that rows of a stream live"],
  "stream.default_max_buffer": [10000, "Most rows of a stream"],
  "stream.eviction_interval_seconds": [60, "Seconds between removals of dead rows"],
  "websocket.client_timeout_secs": [10, "Seconds of silence after which a client is gone"],
  "websocket.heartbeat_interval_secs": [5, "Seconds between looks for silent clients"],
  "rate_limit.max_queries_per_sec": [100, "Queries per second and user"],
  "rate_limit.max_messages_per_sec": [50, "Messages per second and connection"],
  "rate_limit.max_subscriptions_per_user": [10, "Live queries per user"],
  "rate_limit.max_auth_requests_per_ip_per_sec": [20, "Logins per second and address"],
  "rate_limit.max_connections_per_ip": [100, "Connections per address"],
  "rate_limit.max_requests_per_ip_per_sec": [200, "Requests per second and address"],
  "rate_limit.request_body_limit_bytes": [10485760, "Largest body in bytes"],
  "rate_limit.ban_duration_seconds": [300, "Seconds that an address is shut out"],
  "rate_limit.enable_connection_protection": [true, "Whether addresses are watched at all"],
  "rate_limit.cache_max_entries": [1000, "Most users and addresses watched"],
  "rate_limit.cache_ttl_seconds": [600, "Seconds that a user or address is watched"],
  "auth.bcrypt_cost": [12, "Work to test a password, as a power of two"],
  "auth.min_password_length": [8, "Shortest password"],
  "jobs.max_concurrent": [10, "Jobs that run at once"],
  "jobs.max_retries": [3, "Times that a failed job is tried again"],
  "jobs.wal_cleanup_interval_seconds": [300, "Unused: there is no RocksDB"],
  "execution.handler_timeout_seconds": [30, "Seconds that a request may take"],
  "execution.max_parameters": [50, "Most parameters of a statement"],
  "security.max_request_body_size": [10485760, "Largest body in bytes"],
  "security.max_ws_message_size": [1048576, "Largest WebSocket message in bytes"],
  "shutdown.flush.timeout": [300, "Seconds to wait for flushes at the end"],
} as const;

/** Settings that `system.settings` does not show. */
const hiddenSettings = {
  "auth.jwt_secret": ["", "Signs the tokens"],
  "auth.max_password_length": [72, "Longest password"],
  "execution.max_parameter_size_bytes": [524288, "Largest parameter in bytes"],
  "files.staging_path": ["./staging", "Folder of uploads"],
  "postgres_wire.enabled": [false, "Whether the PostgreSQL port is open, in dialects that have one"],
  "postgres_wire.host": ["127.0.0.1", "Address of the PostgreSQL port"],
  "postgres_wire.port": [5432, "The PostgreSQL port"],
  "security.cors.allowed_origins": ["", "Origins that may ask, separated by commas"],
  "security.strict_ws_origin_check": [false, "Whether a live query must name its origin, where origins are restricted"],
  "storage.rocksdb.sync_writes": [true, "Whether a change is on disk before it is acknowledged"],
  "topics.visibility_timeout_secs": [60, "Seconds after which messages that nobody acknowledged are delivered again"],
  "websocket.auth_timeout_secs": [3, "Seconds that a connection may take to say who it is"],
  "websocket.max_backlog_bytes": [16777216, "Most bytes that wait for one reader of live queries"],
} as const;

type All = typeof shownSettings & typeof hiddenSettings;
type Widened<T> = T extends string ? string : T extends number ? number : boolean;
export type Settings = { readonly [Name in keyof All]: Widened<All[Name][0]> };
export type SettingName = keyof Settings;

export const defaultSettings = Object.fromEntries(
  Object.entries({ ...shownSettings, ...hiddenSettings }).map(([name, [value]]) => [name, value]),
) as unknown as Settings;

/** The dialect's name of a setting, in files and in `system.settings`. */
export const dialectSetting = (name: string): string =>
  name.replace(/^auth\.(?=bcrypt_cost$|m(?:in|ax)_password_length$)/, `${dialect.localAuthSettings}.`);

/** The rows of `system.settings`: name, value, description. */
export const reported = (settings: Settings): readonly (readonly string[])[] =>
  Object.entries(shownSettings).map(([name, [, about]]) => [
    dialectSetting(name),
    String(settings[name as SettingName]),
    about,
  ]);
