/** Work done side by side, but never more than so much at a time. */

/**
 * The results of `work` for each of `items`, in their order, at most `limit` at a time. After the first failure nothing
 * new is begun, the `signal` that `work` was given is aborted, and the failure is thrown when all begun work has ended.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const stop = new AbortController();
  const failures: unknown[] = [];
  const queue = items.entries();
  const runOne = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        results.set(index, await work(item, stop.signal));
      } catch (error: unknown) {
        failures.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, runOne));
  if (failures.length > 0) throw failures[0];
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
}
