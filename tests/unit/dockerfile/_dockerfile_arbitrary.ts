/** Arbitrary Dockerfiles as trees, without places and raw texts: what parsing must give back for their formatted text. */
import fc from "fast-check";
import type {
  CommandForm,
  Heredoc,
  Instruction,
  Stage,
  StageInstruction,
} from "../../../src/dockerfile/instruction.ts";

const PLACE = { range: { startLine: 1, endLine: 1 }, raw: "" } as const;
const NAME = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
/** A word without blanks, quotes and backslashes that begins no flag, JSON form, heredoc or comment. */
const WORD = fc.stringMatching(/^[a-zA-Z0-9.\/$@%+:,{}é-]{1,12}$/).filter((word) => !word.startsWith("-"));
/** On a line whose braces or quotes do not match there are no heredocs. */
const PLAIN_WORD = WORD.filter((word) => !word.includes("$"));
/** Words as a shell has them, on one line; not JSON, no heredoc, no continuation. */
const SHELL_TEXT = fc.array(
  fc.oneof(WORD, fc.constantFrom("'a b'", '"c # d"', "&&", "\\n", "$(x)", "2>&1", "{", "#x", "--f")),
  { minLength: 1, maxLength: 6 },
).map((words) => words.join(" ")).filter((text) => !text.startsWith("--") && !text.startsWith("#"));
/** Any text that JSON can hold and a line can show. */
const ARGUMENT = fc.string({ unit: "grapheme", maxLength: 8 });
/** A value of a flag: anything but line ends, which end the line. */
const FLAG_VALUE = fc.string({ unit: fc.constantFrom(..."ab=,: '\"\\é#$[]"), minLength: 1, maxLength: 10 });
/** A value of ENV, LABEL and ARG, quotes kept. */
const QUOTED_VALUE = fc.oneof(WORD, fc.constantFrom("", '"a b"', "'c d'", "a\\ b", '"\\""', "$x", "${x:-y}"));

const COMMAND: fc.Arbitrary<CommandForm> = fc.oneof(
  SHELL_TEXT.map((text) => ({ kind: "shell", text } as const)),
  fc.array(ARGUMENT, { minLength: 1, maxLength: 4 }).map((argv) => ({ kind: "exec", argv } as const)),
);
const BODY = fc.array(fc.constantFrom("x\n", "\ty z\n", "# no comment\n", "a \\\n", "\n", "<<B\n", "$v 'q\n"), {
  maxLength: 4,
}).map((lines) => lines.join(""));
const HEREDOC: fc.Arbitrary<Heredoc> = whole({
  name: fc.stringMatching(/^END[A-Z]{0,3}$/),
  content: BODY,
  expand: fc.boolean(),
  stripTabs: fc.boolean(),
  fd: fc.constantFrom(0, 3, 12),
});

/** `members`, each of which may be absent. */
function record<T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record<T, never>(members, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
}

function whole<T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(members, { noNullPrototype: true });
}

const RUN = fc.tuple(
  COMMAND,
  fc.array(FLAG_VALUE.map((text) => ({ text })), { maxLength: 2 }),
  record({ network: fc.constantFrom("default", "none", "host"), security: fc.constantFrom("sandbox", "insecure") }),
  fc.array(FLAG_VALUE, { maxLength: 1 }),
).map((
  [command, mounts, more, devices],
) => ({ ...PLACE, kind: "RUN", command, heredocs: [], mounts, devices, ...more } as const));

const RUN_HEREDOC = HEREDOC.map((heredoc) => {
  const { name, expand, stripTabs, fd } = heredoc;
  const text = `${fd === 0 ? "" : fd}<<${stripTabs ? "-" : ""}${expand ? name : `"${name}"`}`;
  return {
    ...PLACE,
    kind: "RUN",
    command: { kind: "shell", text },
    heredocs: [heredoc],
    mounts: [],
    devices: [],
  } as const;
});

const SHARED_FLAGS = { chown: FLAG_VALUE, chmod: FLAG_VALUE };
const FILES = fc.oneof(
  fc.tuple(fc.array(ARGUMENT, { minLength: 1, maxLength: 3 }), ARGUMENT)
    .map(([sources, destination]) => ({ sources, heredocs: [], destination })),
  fc.tuple(
    fc.array(PLAIN_WORD, { maxLength: 2 }),
    fc.uniqueArray(HEREDOC, { minLength: 1, maxLength: 3, selector: (one) => one.name }),
    PLAIN_WORD,
  )
    .map(([sources, heredocs, destination]) => ({ sources, heredocs, destination })),
);
const COPY = fc.tuple(
  FILES,
  record({ ...SHARED_FLAGS, from: PLAIN_WORD }),
  whole({ link: fc.boolean(), parents: fc.boolean(), exclude: fc.array(FLAG_VALUE, { maxLength: 2 }) }),
).map(([files, flags, more]) => ({ ...PLACE, kind: "COPY", ...files, ...flags, ...more } as const));
const ADD = fc.tuple(
  FILES,
  record({ ...SHARED_FLAGS, checksum: FLAG_VALUE, keepGitDir: fc.boolean(), unpack: fc.boolean() }),
  whole({ link: fc.boolean(), exclude: fc.array(FLAG_VALUE, { maxLength: 2 }) }),
).map(([files, flags, more]) => ({ ...PLACE, kind: "ADD", ...files, ...flags, ...more, parents: false } as const));

const PAIRS = fc.array(whole({ key: NAME, value: QUOTED_VALUE }), { minLength: 1, maxLength: 3 })
  .map((pairs) => ({ pairs, isLegacy: false }));
const LEGACY_PAIR = whole({ key: NAME, value: SHELL_TEXT }).map((pair) => ({ pairs: [pair], isLegacy: true }));
const NAMED_VALUES = fc.constantFrom("ENV", "LABEL").chain((kind) =>
  fc.oneof(PAIRS, LEGACY_PAIR).map((pairs) => ({ ...PLACE, kind, ...pairs } as StageInstruction))
);
const ARG = fc.array(fc.tuple(NAME, fc.option(QUOTED_VALUE, { nil: undefined })), { minLength: 1, maxLength: 3 })
  .map((args) => ({
    ...PLACE,
    kind: "ARG" as const,
    args: args.map(([name, value]) => value === undefined ? { name } : { name, value }),
  }));

const DURATION = fc.integer({ min: 1_000_000, max: 1e15 });
const HEALTHCHECK = fc.oneof(
  fc.constant({ ...PLACE, kind: "HEALTHCHECK" } as const),
  fc.tuple(
    COMMAND,
    record({
      interval: DURATION,
      timeout: DURATION,
      startPeriod: DURATION,
      startInterval: DURATION,
      retries: fc.integer({ min: 1, max: 100 }),
    }),
  ).map(([command, times]) => ({ ...PLACE, kind: "HEALTHCHECK", command, ...times } as const)),
);

const SIMPLE: fc.Arbitrary<StageInstruction> = fc.oneof(
  SHELL_TEXT.map((path) => ({ ...PLACE, kind: "WORKDIR", path } as const)),
  SHELL_TEXT.map((user) => ({ ...PLACE, kind: "USER", user } as const)),
  SHELL_TEXT.map((signal) => ({ ...PLACE, kind: "STOPSIGNAL", signal } as const)),
  SHELL_TEXT.map((author) => ({ ...PLACE, kind: "MAINTAINER", author } as const)),
  fc.array(WORD, { minLength: 1, maxLength: 3 }).map((
    ports,
  ) => ({ ...PLACE, kind: "EXPOSE", ports: ports.toSorted() } as const)),
  fc.array(WORD, { minLength: 1, maxLength: 3 }).map((paths) => ({ ...PLACE, kind: "VOLUME", paths } as const)),
  fc.array(ARGUMENT, { minLength: 1, maxLength: 3 }).map((argv) => ({ ...PLACE, kind: "SHELL", argv } as const)),
  fc.tuple(fc.constantFrom("CMD", "ENTRYPOINT"), COMMAND).map((
    [kind, command],
  ) => ({ ...PLACE, kind, command } as StageInstruction)),
  SHELL_TEXT.map((text) => ({ ...PLACE, kind: "ONBUILD", trigger: `RUN ${text}` } as const)),
);

const STAGE_INSTRUCTION: fc.Arbitrary<StageInstruction> = fc.oneof(
  RUN,
  RUN_HEREDOC,
  COPY,
  ADD,
  NAMED_VALUES,
  ARG,
  HEALTHCHECK,
  SIMPLE,
);
const FROM = fc.tuple(WORD, record({ platform: FLAG_VALUE, stageName: NAME }))
  .map(([image, more]) => ({ ...PLACE, kind: "FROM", image, ...more } as const));

/** The parts of a Dockerfile: global ARGs and stages. */
export const DOCKERFILE_PARTS = whole({
  globalArgs: fc.array(ARG, { maxLength: 2 }),
  stages: fc.array(whole({ from: FROM, instructions: fc.array(STAGE_INSTRUCTION, { maxLength: 5 }) }), {
    minLength: 1,
    maxLength: 3,
  }).map((stages): readonly Stage[] => stages.map((stage, index) => ({ index, ...stage }))),
});

/** `instruction` without what tells where it stood and how it was written. */
export function withoutPlace(instruction: Instruction): unknown {
  const { range: _range, raw: _raw, ...rest } = instruction;
  return rest;
}
