/**
 * Modes as COPY --chmod takes them: octal, or symbolic with an umask of 0. Pure. Source of the grammar: BSD setmode(3);
 * `X` counts with "+" and "=" and looks at the mode before any change.
 */
import { FormatError } from "../errors.ts";

/** A parsed --chmod. */
export interface ModeChange {
  /** The mode to give everything, when octal; such a mode also holds for parents that are made. */
  readonly octal: number | undefined;
  /** The new 12 permission bits of a node that has `mode`. */
  apply(mode: number, isDirectory: boolean): number;
}

type Operator = "+" | "-" | "=";
type Change = (mode: number, original: number, isDirectory: boolean) => number;

const MAX_MODE = 0o7777;
const STICKY = 0o1000;
const SET_IDS = 0o6000;
const ANY_EXECUTE = 0o111;
/** What "no who" and "a" mean: everything but sticky. */
const STANDARD_BITS = 0o6777;
const WHO: Readonly<Record<string, number>> = { a: STANDARD_BITS, u: 0o4700, g: 0o2070, o: 0o0007 };
const PLAIN: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };
const COPIED_SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/**
 * Parses `text`, such as "0755", "u=rwX,go=rX", "+x" or "g=u". Throws FormatError for anything else.
 *
 * @example
 * ```ts
 * import { parseModeChange } from "./symbolic_mode.ts";
 * import { equal } from "node:assert/strict";
 * equal(parseModeChange("u=rwX,go=rX").apply(0o600, true), 0o755);
 * ```
 */
export function parseModeChange(text: string): ModeChange {
  if (/^[0-9]/.test(text)) {
    const octal = /^[0-7]+$/.test(text) ? parseInt(text, 8) : Infinity;
    if (octal > MAX_MODE) throw invalidMode(text);
    return { octal, apply: () => octal };
  }
  const changes = text.split(",").flatMap((clause) => parseClause(clause, text));
  return {
    octal: undefined,
    apply: (mode, isDirectory) => changes.reduce((now, change) => change(now, mode, isDirectory), mode),
  };
}

function parseClause(clause: string, text: string): Change[] {
  const match = /^([augo]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
  if (match === null) throw invalidMode(text);
  const who = [...match[1] ?? ""].reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0);
  const actions = match[2]?.match(/[-+=][rwxXstugo]*/g) ?? [];
  return actions.map((action) =>
    parseAction(action.startsWith("+") ? "+" : action.startsWith("-") ? "-" : "=", action, who)
  );
}

/** One operator and its permissions. `who` 0 means everybody. */
function parseAction(operator: Operator, action: string, who: number): Change {
  const affected = who === 0 ? STANDARD_BITS : who;
  const takesSpecial = who === 0 || (who & ~0o7) !== 0;
  let bits = 0;
  let affectsSticky = 0;
  let isConditional = false;
  const copied: number[] = [];
  for (const letter of action.slice(1)) {
    if (letter === "s") bits |= takesSpecial ? SET_IDS : 0;
    else if (letter === "t") affectsSticky = takesSpecial ? STICKY : 0;
    else if (letter === "X") isConditional = operator !== "-";
    else if (letter in PLAIN) bits |= PLAIN[letter] ?? 0;
    else copied.push(COPIED_SHIFT[letter] ?? 0);
  }
  const reach = affected | affectsSticky;
  // "g=u" copies three bits over three bits: set-id bits of the group stay.
  const cleared = copied.length > 0 && bits === 0 ? reach & 0o1777 : reach;
  return (mode, original, isDirectory) => {
    const copies = copied.reduce((sum, shift) => sum | spread((mode >> shift) & 0o7), 0);
    const execute = isConditional && (isDirectory || (original & ANY_EXECUTE) !== 0) ? ANY_EXECUTE : 0;
    const given = (bits | copies | execute | affectsSticky) & reach;
    if (operator === "+") return mode | given;
    return operator === "-" ? mode & ~given : (mode & ~cleared) | given;
  };
}

/** Three permission bits for user, group and others alike. */
function spread(permissions: number): number {
  return permissions | (permissions << 3) | (permissions << 6);
}

function invalidMode(text: string): FormatError {
  return new FormatError(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`, {
    hint: "Use an octal mode such as 0755, or a symbolic one such as u=rwX,go=rX",
  });
}
