/** Loggers over LogTape: one record a line, as text, coloured text or JSON with kaniko's field names. */
import { configureSync, getLogger, type Logger as LogTapeLogger, type LogRecord, resetSync } from "@logtape/logtape";
import type { LogFields, Logger } from "./logger.ts";

/** Records below it are dropped. */
export type LogLevel = "debug" | "info" | "warning" | "error";
/** `json` has one object a line with `level`, `msg`, `time` and the record's fields. */
export type LogFormat = "text" | "color" | "json";

/** How records are written. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Put the time before each text record; JSON always has it. */
  readonly timestamps: boolean;
  /** Receives each record as one line, its newline included. */
  readonly write: (line: string) => void;
}

const CATEGORY = "kiln";
const LABELS: Readonly<Record<string, string>> = { debug: "DEBU", info: "INFO", warning: "WARN", error: "ERRO" };
const COLOURS: Readonly<Record<string, number>> = { debug: 90, info: 36, warning: 33, error: 31 };
const LEVEL_NAMES: Readonly<Record<string, string>> = { warning: "warn" };

/** Makes the process's logger. LogTape's configuration is the process's own: a second call replaces the first's. */
export function createLogger(options: LogOptions): Logger {
  resetSync();
  configureSync({
    sinks: { lines: (record) => options.write(formatRecord(record, options)) },
    loggers: [
      { category: CATEGORY, sinks: ["lines"], lowestLevel: options.level },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "error" },
    ],
  });
  return wrap(getLogger(CATEGORY), {});
}

function wrap(target: LogTapeLogger, context: LogFields): Logger {
  const merge = (fields: LogFields | undefined): Record<string, unknown> => ({ ...context, ...fields });
  return {
    debug: (message, fields) => target.debug("{message}", { message, fields: merge(fields) }),
    info: (message, fields) => target.info("{message}", { message, fields: merge(fields) }),
    warn: (message, fields) => target.warn("{message}", { message, fields: merge(fields) }),
    error: (message, fields) => target.error("{message}", { message, fields: merge(fields) }),
    with: (fields) => wrap(target, { ...context, ...fields }),
  };
}

function formatRecord(record: LogRecord, options: LogOptions): string {
  const message = String(record.properties.message ?? record.rawMessage);
  const fields = (record.properties.fields ?? {}) as Record<string, unknown>;
  const time = new Date(record.timestamp).toISOString();
  if (options.format === "json") {
    const level = LEVEL_NAMES[record.level] ?? record.level;
    return JSON.stringify({ level, msg: message, time, ...fields }) + "\n";
  }
  const { stage, step, ...others } = fields;
  const place = stage === undefined ? "" : `[${stage}${step === undefined ? "" : ` ${step}`}] `;
  const details = Object.entries(others).map(([key, value]) => ` ${key}=${value}`).join("");
  const label = LABELS[record.level] ?? record.level;
  const shown = options.format === "color" ? `\x1b[${COLOURS[record.level] ?? 0}m${label}\x1b[0m` : label;
  return `${shown}${options.timestamps ? ` ${time}` : ""} ${place}${message}${details}\n`;
}
