/**
 * One `--mount` of a RUN as options: its fields are read from left to right, each against the type named so far. Source:
 * the Dockerfile reference, RUN --mount; BuildKit for the order and the faults.
 */
import { DockerfileError, type SourceRange } from "../dockerfile/instruction.ts";
import { suggestHint } from "../dockerfile/suggest.ts";
import { parseByteSize } from "./byte_size.ts";
import { csvFields } from "./csv_fields.ts";

const MOUNT_TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const SHARING_MODES = ["shared", "private", "locked"] as const;
const KEYS = [
  "type",
  "from",
  "source",
  "target",
  "readonly",
  "id",
  "sharing",
  "required",
  "size",
  "mode",
  "uid",
  "gid",
  "src",
  "dst",
  "destination",
  "ro",
  "rw",
  "readwrite",
  "env",
];
const MAX_ID = 0xffffffff;

/** The type of a mount. */
export type MountType = typeof MOUNT_TYPES[number];

/** What a `--mount` says. What it does not say is undefined. */
export interface MountOptions {
  readonly type: MountType;
  readonly from?: string;
  readonly source?: string;
  readonly target?: string;
  readonly isReadOnly?: boolean;
  readonly id?: string;
  readonly sharing?: typeof SHARING_MODES[number];
  readonly isRequired?: boolean;
  readonly sizeBytes?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: string;
}

/** How to read a mount: its lines, and what replaces the variables of a value. */
export interface MountReading {
  readonly range: SourceRange;
  readonly expand: (value: string) => string;
}

/** Reads the text of one `--mount`. Throws DockerfileError. */
export function readMountOptions(text: string, { range, expand }: MountReading): MountOptions {
  const fail: Fail = (reason, hint) => {
    throw new DockerfileError(`Cannot use --mount=${text}: ${reason}`, range, { hint });
  };
  const fields = csvFields(text) ?? fail("a quote is missing, or stands inside of a field");
  const options: Writable<MountOptions> = { type: "bind" };
  for (const field of fields) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (equals < 0) readSwitch(key, field, options, fail);
    else readField(key, field, { options, fail, expand });
  }
  checkCombination(options, fail);
  return options;
}

/** What the `from` of a mount says, if it has one, without a look at anything else. Its value has no variables. */
export function mountFrom(text: string): string | undefined {
  const fields = (csvFields(text) ?? []).filter((field) => /^from=/i.test(field));
  return fields.at(-1)?.slice("from=".length);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Fail = (reason: string, hint?: string) => never;

interface FieldPlace {
  readonly options: Writable<MountOptions>;
  readonly fail: Fail;
  readonly expand: (value: string) => string;
}

/** A key without a value. */
function readSwitch(key: string, field: string, options: Writable<MountOptions>, fail: Fail): void {
  switch (key) {
    case "ro":
    case "readonly":
      options.isReadOnly = true;
      return;
    case "rw":
    case "readwrite":
      options.isReadOnly = false;
      return;
    case "required":
      allow(["secret", "ssh"], key, options, fail);
      options.isRequired = true;
      return;
    default:
      return fail(`invalid field '${field}' must be a key=value pair`, suggestHint(key, KEYS));
  }
}

function readField(key: string, field: string, { options, fail, expand }: FieldPlace): void {
  const written = field.slice(field.indexOf("=") + 1);
  if (key === "from") {
    if (written.includes("$")) fail("'from' doesn't support variable expansion, define alias stage instead");
    options.from = written;
    return;
  }
  const value = expand(written);
  switch (key) {
    case "type":
      options.type = oneOf(MOUNT_TYPES, value) ??
        fail(`unsupported mount type ${JSON.stringify(value)}`, suggestHint(value, MOUNT_TYPES));
      return;
    case "src":
    case "source":
      options.source = value;
      return;
    case "dst":
    case "target":
    case "destination":
      options.target = value;
      return;
    case "id":
      options.id = value;
      return;
    case "ro":
    case "readonly":
      options.isReadOnly = readBoolean(key, value, fail);
      return;
    case "rw":
    case "readwrite":
      options.isReadOnly = !readBoolean(key, value, fail);
      return;
    default:
      readTypedField(key, field, { value, options, fail });
  }
}

/** Keys that only some types have. */
function readTypedField(
  key: string,
  field: string,
  { value, options, fail }: { value: string; options: Writable<MountOptions>; fail: Fail },
): void {
  switch (key) {
    case "required":
      allow(["secret", "ssh"], key, options, fail);
      options.isRequired = readBoolean(key, value, fail);
      return;
    case "size":
      allow(["tmpfs"], key, options, fail);
      options.sizeBytes = parseByteSize(value) ?? fail(`invalid value for size: ${value}`);
      return;
    case "sharing":
      allow(["cache"], key, options, fail);
      options.sharing = oneOf(SHARING_MODES, value.toLowerCase()) ??
        fail(`unsupported sharing value ${JSON.stringify(value)}`, suggestHint(value, SHARING_MODES));
      return;
    case "mode":
      options.mode = readNumber(key, value, { radix: 8, max: 0o7777 }, fail);
      return;
    case "uid":
      options.uid = readNumber(key, value, { radix: 10, max: MAX_ID }, fail);
      return;
    case "gid":
      options.gid = readNumber(key, value, { radix: 10, max: MAX_ID }, fail);
      return;
    case "env":
      allow(["secret"], key, options, fail);
      options.env = value;
      return;
    default:
      fail(`unexpected key '${key}' in '${field}'`, suggestHint(key, KEYS));
  }
}

/** What is wrong with the whole, whatever its order. */
function checkCombination(options: MountOptions, fail: Fail): void {
  const { type, from, source, target, id } = options;
  if (!["secret", "ssh", "cache"].includes(type)) {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (options[key] !== undefined) fail(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type !== "cache" && options.sharing !== undefined) fail(`invalid cache sharing set for ${type} mount`);
  if (type === "ssh" && source) fail("ssh does not support source");
  if (type === "ssh" && from) fail("ssh mount should not have a from");
  if (type !== "secret") return;
  if (from) fail("secret mount should not have a from");
  if (!source && !target && !id) fail("invalid secret mount. one of source, target required");
  if (source && id) fail("both source and id can't be set");
  if (options.env === "") fail("the name of the environment variable is empty");
}

function allow(types: readonly MountType[], key: string, { type }: MountOptions, fail: Fail): void {
  if (types.includes(type)) return;
  fail(`unexpected key '${key}' for mount type '${type}'`, `Write type=${types.join(" or type=")} before it`);
}

function oneOf<T extends string>(values: readonly T[], text: string): T | undefined {
  return values.find((value) => value === text);
}

/** Go's spellings. */
function readBoolean(key: string, value: string, fail: Fail): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  return fail(`invalid value for ${key}: ${value}`);
}

function readNumber(
  key: string,
  value: string,
  { radix, max }: { readonly radix: 8 | 10; readonly max: number },
  fail: Fail,
): number {
  const isNumber = (radix === 8 ? /^[0-7]+$/ : /^\d+$/).test(value);
  const number = Number.parseInt(value, radix);
  return isNumber && number <= max ? number : fail(`invalid value ${value} for ${key}`);
}
