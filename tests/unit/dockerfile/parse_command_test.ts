/** RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK, beyond the golden fixtures. */
import assert from "node:assert/strict";
import { assertRefused, parseLine } from "./_parse_line.ts";

for (
  const { text, command } of [
    { text: "", command: { kind: "shell", text: "" } },
    { text: "[]", command: { kind: "exec", argv: [] } },
    { text: '[ "a" , "b" ]', command: { kind: "exec", argv: ["a", "b"] } },
    { text: '["a" "b"]', command: { kind: "shell", text: '["a" "b"]' } },
    { text: "$A \"b\" 'c' \\d", command: { kind: "shell", text: "$A \"b\" 'c' \\d" } },
  ]
) {
  for (const keyword of ["RUN", "CMD", "ENTRYPOINT"]) {
    Deno.test(`parseInstruction gives the ${command.kind} form when ${keyword} has ${JSON.stringify(text)}`, () => {
      const parsed = parseLine(`${keyword} ${text}`);
      assert.ok("command" in parsed);
      assert.deepEqual(parsed.command, command);
    });
  }
}

Deno.test("parseRun gives flags and heredocs when they are there", () => {
  assert.deepEqual(parseLine("RUN --mount=a=b --network=host --mount=c --security=sandbox --device=d x <<E\ny\nE"), {
    kind: "RUN",
    command: { kind: "shell", text: "x <<E" },
    heredocs: [{ name: "E", content: "y\n", expand: true, stripTabs: false, fd: 0 }],
    mounts: [{ text: "a=b" }, { text: "c" }],
    network: "host",
    security: "sandbox",
    devices: ["d"],
  });
});

Deno.test("parseHealthcheck drops durations and retries of zero when they are given", () => {
  const text = "HEALTHCHECK --interval=0 --timeout=0s --start-period= --retries=0 CMD x";
  assert.deepEqual(parseLine(text), { kind: "HEALTHCHECK", command: { kind: "shell", text: "x" } });
});

Deno.test("parseHealthcheck gives nanoseconds when durations are given", () => {
  const text = 'HEALTHCHECK --interval=1ms --timeout=2s --start-period=1m --start-interval=1h --retries=+4 CMD ["x"]';
  assert.deepEqual(parseLine(text), {
    kind: "HEALTHCHECK",
    command: { kind: "exec", argv: ["x"] },
    interval: 1e6,
    timeout: 2e9,
    startPeriod: 6e10,
    startInterval: 3.6e12,
    retries: 4,
  });
});

for (
  const { text, cause, hint } of [
    { text: "RUN --network=non x", cause: /invalid network mode "non"/, hint: 'Did you mean "none"?' },
    { text: "RUN --security=insecur x", cause: /security "insecur" is not valid/, hint: 'Did you mean "insecure"?' },
    { text: "CMD --x", cause: /unknown flag: --x/, hint: "CMD takes no flags" },
    { text: "CMD [1]", cause: /comprised of strings only/ },
    { text: "SHELL [ ]", cause: /requires at least one argument/ },
    { text: "SHELL ['a']", cause: /SHELL requires the arguments to be in JSON form/ },
    { text: "HEALTHCHECK CMD  ", cause: /missing command after HEALTHCHECK CMD/ },
    { text: "HEALTHCHECK --interval=999us CMD x", cause: /interval "interval" cannot be less than 1ms/ },
    { text: "HEALTHCHECK --timeout=1 CMD x", cause: /invalid duration "1" of --timeout/ },
    { text: "HEALTHCHECK --retries=-1 CMD x", cause: /--retries cannot be negative \(-1\)/ },
    { text: "HEALTHCHECK --retries=1.5 CMD x", cause: /invalid number "1.5" of --retries/ },
    { text: "HEALTHCHECK --retries=2147483648 CMD x", cause: /invalid number/ },
    { text: "HEALTHCHECK none x", cause: /HEALTHCHECK NONE takes no arguments/ },
    { text: "HEALTHCHECK curl x", cause: /unknown type "CURL" in HEALTHCHECK \(try CMD\)/ },
  ]
) {
  Deno.test(`parseInstruction throws when the line is ${text}`, () => assertRefused(text, cause, hint));
}
