/** The formats of `--report`, by name; apart from the formats themselves, so that reading a profile loads none of them. */
export const formatNames = ["table", "json", "junit"] as const;
export type FormatName = (typeof formatNames)[number];
