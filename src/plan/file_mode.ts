/** Which values --chmod takes: octal numbers, and the symbolic modes of BSD's setmode (`u=rwX,go=rX`, `+x`, `g=u`). */

const OCTAL = /^[0-7]+$/;
const MAX_MODE = 0o7777;
const SYMBOLIC_CLAUSE = /^[ugoa]*(?:[-+=][rwxXstugo]*)+$/;

/** Whether `text` is a mode, between 0 and 07777 when it is a number. */
export function isFileMode(text: string): boolean {
  if (OCTAL.test(text)) return Number.parseInt(text, 8) <= MAX_MODE;
  return text.split(",").every((clause) => SYMBOLIC_CLAUSE.test(clause));
}
