/** Times of actions, and the table and file they are told in. */

/** One thing that is measured, and the program that does the same. Both begin from the same state. */
export interface Contest {
  readonly name: string;
  readonly reference: string;
  readonly ours: () => Promise<void> | void;
  readonly theirs: () => Promise<void>;
  /** Puts things back before each run; not timed. */
  readonly reset?: () => Promise<void>;
}

/** What came out: the best of all rounds, milliseconds. */
export interface Outcome {
  readonly name: string;
  readonly reference: string;
  readonly oursMs: number;
  readonly theirsMs: number;
  /** Ours through theirs: below 1 is faster. */
  readonly ratio: number;
}

/** Runs the contest in turns, so that both see the same machine. The first round warms up and is not counted. */
export async function measure(contest: Contest, rounds: number): Promise<Outcome> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    ours.push(await timed(contest.ours, contest.reset));
    theirs.push(await timed(contest.theirs, contest.reset));
  }
  const oursMs = Math.min(...ours.slice(1));
  const theirsMs = Math.min(...theirs.slice(1));
  const { name, reference } = contest;
  return { name, reference, oursMs, theirsMs, ratio: oursMs / theirsMs };
}

/** One line each. */
export function formatOutcomes(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ name, reference, oursMs, theirsMs, ratio }) => [
    name,
    `${oursMs.toFixed(0)} ms`,
    `${theirsMs.toFixed(0)} ms`,
    `${ratio.toFixed(2)} x ${reference}`,
  ]);
  const table = [["what", "kiln", "reference", "ratio"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  return `${table.map(line).join("\n")}\n`;
}

async function timed(action: () => Promise<void> | void, reset: (() => Promise<void>) | undefined): Promise<number> {
  await reset?.();
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}
