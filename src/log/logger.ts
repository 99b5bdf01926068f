/**
 * The logger port that every folder may import as a type. Sinks are made in `cli/` alone: text, colour or JSON on stderr,
 * one record a line. Levels: error = failed build, warn = user should act, info = steps, debug = decisions.
 */

/** Values that explain a message; JSON logs carry them as fields. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** Writes records. `with` gives a child whose records carry `fields` too, such as the step they belong to. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  with(fields: LogFields): Logger;
}
