/** The index of a layout as a value: which entry a tag means, and what it looks like after a change. */
import type { Descriptor } from "../oci/descriptor.ts";

/** Annotation of an index entry that names its tag (image-spec annotations.md). */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** The entry that `tag` means: the last one, should there be several. */
export function findTag(entries: readonly Descriptor[], tag: string): Descriptor | undefined {
  return entries.findLast((entry) => entry.annotations?.[REF_NAME] === tag);
}

/**
 * `entries` with `entry`: it takes the place of the entry with its tag, and of one without a tag for the same digest. An
 * entry without a tag changes nothing when its digest is there already.
 */
export function withEntry(entries: readonly Descriptor[], entry: Descriptor): readonly Descriptor[] {
  const tag = entry.annotations?.[REF_NAME];
  if (tag === undefined) return entries.some(({ digest }) => digest === entry.digest) ? entries : [...entries, entry];
  const others = entries.filter((other) => {
    const otherTag = other.annotations?.[REF_NAME];
    return otherTag !== tag && (otherTag !== undefined || other.digest !== entry.digest);
  });
  return [...others, entry];
}
