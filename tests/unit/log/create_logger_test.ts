import { deepEqual, equal, match } from "node:assert/strict";
import { createLogger, type LogFormat, type LogLevel } from "../../../src/log/create_logger.ts";
import type { Logger } from "../../../src/log/logger.ts";

function logged(level: LogLevel, format: LogFormat, use: (log: Logger) => void): string[] {
  const lines: string[] = [];
  use(createLogger({ level, format, timestamps: false, write: (line) => lines.push(line) }));
  return lines;
}

Deno.test("createLogger drops records below its level", () => {
  const lines = logged("warning", "text", (log) => {
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
  });
  deepEqual(lines, ["WARN c\n", "ERRO d\n"]);
});

Deno.test("createLogger shows stage, step and fields in text", () => {
  const lines = logged(
    "debug",
    "text",
    (log) => log.with({ stage: "build", step: "1/2" }).info("RUN {x}", { size: 3 }),
  );
  deepEqual(lines, ["INFO [build 1/2] RUN {x} size=3\n"]);
});

Deno.test("createLogger writes kaniko's field names in JSON", () => {
  const [line = ""] = logged("info", "json", (log) => log.warn('say "x"\n', { step: "1/2" }));
  const record = JSON.parse(line);
  equal(record.level, "warn");
  equal(record.msg, 'say "x"\n');
  equal(record.step, "1/2");
  match(record.time, /^\d{4}-\d\d-\d\dT/);
});

Deno.test("createLogger marks the level with colour when that is asked for", () => {
  deepEqual(logged("info", "color", (log) => log.error("x")), ["\x1b[31mERRO\x1b[0m x\n"]);
});
