/** Where kiln differs from the reference on purpose: the one table. */
import type { Json } from "./image_description.ts";

/** One difference in the recording of one fixture. */
export interface KeptDifference {
  /** Folder in `fixtures/builds`. */
  readonly fixture: string;
  /** Place in the recording, such as `layers.1.etc/hosts`. */
  readonly at: string;
  /** What kiln has there; undefined for nothing. */
  readonly kiln: Json | undefined;
  readonly reason: string;
}

/** All of them. A row that has become wrong fails the test. */
export const KEPT_DIFFERENCES: readonly KeptDifference[] = [];
