/** Image names on the command line, with the faults of a wrong one as faults of the command line. */
import { errorText, isBuilderError } from "../errors.ts";
import { parsePlatform, type Platform } from "../oci/platform.ts";
import { parseImageName, parseReference, type Reference } from "../oci/reference.ts";
import { type FlagValues, UsageError } from "./flag.ts";

/** `text` as a name in a registry or of an image in files; "docker://" may stand before it. Throws UsageError. */
export function imageWord(text: string): Reference {
  return inUsage(text, () => parseImageName(text.replace(/^docker:\/\//, "")));
}

/** The references of `--destination`, of which at least one must be there. Throws UsageError. */
export function destinations(values: FlagValues): readonly Reference[] {
  const words = values.list("destination");
  if (words.length === 0) throw new UsageError("Cannot push: there is no --destination");
  return words.map((text) => {
    const reference = inUsage(text, () => parseReference(text.replace(/^docker:\/\//, "")));
    if (reference.digest === undefined) return reference;
    throw new UsageError(`Cannot push to "${text}": a destination has a tag, its digest is what it holds`);
  });
}

/** The platform of `--platform`, or undefined without one. Throws UsageError. */
export function platformFlag(values: FlagValues): Platform | undefined {
  const text = values.text("platform");
  return text === "" ? undefined : inUsage(text, () => parsePlatform(text));
}

function inUsage<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error: unknown) {
    if (!isBuilderError(error)) throw error;
    throw new UsageError(`Cannot use "${text}": ${errorText(error)}`, { cause: error });
  }
}
