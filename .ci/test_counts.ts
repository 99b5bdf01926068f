/** Counts the results in the JUnit report of a test run. */

/** Numbers of tests by result; ignored tests are in neither. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/** Reads the report at `path`. A missing report means that the run ended before any test. */
export async function countResults(path: string): Promise<TestCounts> {
  try {
    return parseCounts(await Deno.readTextFile(path));
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound) return { passed: 0, failed: 0 };
    throw error;
  }
}

/** Adds up the `<testsuite>` elements of a JUnit report. */
export function parseCounts(xml: string): TestCounts {
  let passed = 0;
  let failed = 0;
  for (const [, attributes = ""] of xml.matchAll(/<testsuite\s([^>]*)>/g)) {
    const failures = attribute(attributes, "failures") + attribute(attributes, "errors");
    failed += failures;
    passed += attribute(attributes, "tests") - failures - attribute(attributes, "disabled") -
      attribute(attributes, "skipped");
  }
  return { passed, failed };
}

function attribute(attributes: string, name: string): number {
  return Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? "0");
}
