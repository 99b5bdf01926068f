/** The check that every byte passes on its way in: counts and hashes, and errors when the bytes are not the promised ones. */
import { BuilderError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { Sha256Hasher } from "../oci/digest.ts";

/** What was promised and what came. `digest` is undefined where the bytes were not read to their end. */
export interface IntegrityFacts {
  readonly expectedDigest: string;
  readonly actualDigest?: string;
  readonly expectedSizeBytes?: number;
  readonly actualSizeBytes?: number;
}

/** Bytes that are not what their digest or size promised; never retried silently. */
export class IntegrityError extends BuilderError {
  readonly code = "integrity";
  constructor(message: string, readonly facts: IntegrityFacts, options: { readonly cause?: unknown } = {}) {
    super(message, options);
  }
}

/**
 * `stream`, unchanged, that errors with IntegrityError as soon as it is longer than `descriptor.size`, and at its end
 * when size or digest differ. The reader owns the result; cancelling it cancels `stream`.
 */
export function verifyStream(
  stream: ReadableStream<Uint8Array>,
  descriptor: Pick<Descriptor, "digest" | "size">,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  const hasher = new Sha256Hasher();
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const { done, value } = await reader.read();
      if (done) {
        checkEnd(hasher, descriptor);
        controller.close();
        return;
      }
      hasher.update(value);
      if (hasher.sizeBytes > descriptor.size) {
        const error = sizeError(descriptor, hasher.sizeBytes, "it is longer");
        await reader.cancel(error).catch(() => {/* the size error is the one to report */});
        throw error;
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function checkEnd(hasher: Sha256Hasher, descriptor: Pick<Descriptor, "digest" | "size">): void {
  if (hasher.sizeBytes !== descriptor.size) {
    throw sizeError(descriptor, hasher.sizeBytes, `it ended after ${hasher.sizeBytes}`);
  }
  const actualDigest = hasher.digest();
  if (actualDigest === descriptor.digest) return;
  throw new IntegrityError(`Cannot use blob ${descriptor.digest}: its bytes have the digest ${actualDigest}`, {
    expectedDigest: descriptor.digest,
    actualDigest,
    expectedSizeBytes: descriptor.size,
    actualSizeBytes: hasher.sizeBytes,
  });
}

function sizeError(
  descriptor: Pick<Descriptor, "digest" | "size">,
  actualSizeBytes: number,
  what: string,
): IntegrityError {
  return new IntegrityError(`Cannot use blob ${descriptor.digest}: expected ${descriptor.size} bytes but ${what}`, {
    expectedDigest: descriptor.digest,
    expectedSizeBytes: descriptor.size,
    actualSizeBytes,
  });
}
