/** Temporary folders that a test owns and that vanish with it. */

/** A folder that is removed, with all that is in it, when the value is disposed. */
export interface TempDir extends AsyncDisposable {
  /** Absolute path, without a slash at the end. */
  readonly path: string;
}

/** Makes a fresh folder under the system's folder for temporary files, or under `parent`. */
export async function makeTempDir(parent?: string): Promise<TempDir> {
  const path = await Deno.makeTempDir({ prefix: "kiln-test-", ...(parent === undefined ? {} : { dir: parent }) });
  return {
    path,
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(path, { recursive: true }).catch((error: unknown) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // Disposing twice is allowed.
      });
    },
  };
}
