/** The counting behind the gate's last line. */
import { deepEqual } from "node:assert/strict";
import { parseCounts } from "../../.ci/test_counts.ts";

Deno.test("parseCounts adds up suites when some tests failed, erred or were ignored", () => {
  const xml = `<testsuites name="deno test" tests="7" failures="2" errors="1">
    <testsuite name="a" tests="4" disabled="1" errors="0" failures="2"><testcase name="x"></testcase></testsuite>
    <testsuite name="b" tests="3" disabled="0" errors="1" failures="0"></testsuite>
  </testsuites>`;
  deepEqual(parseCounts(xml), { passed: 3, failed: 3 });
});

Deno.test("parseCounts finds nothing when the report is empty", () => {
  deepEqual(parseCounts(`<testsuites name="deno test" tests="0" failures="0" errors="0"></testsuites>`), {
    passed: 0,
    failed: 0,
  });
});
