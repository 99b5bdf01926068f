import { deepEqual, equal, match, ok } from "node:assert/strict";

const SYS = new URL("../../../src/sys/", import.meta.url).href;

/** Runs a program that ends in `execute`, as a process of its own. */
async function runProgram(body: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = `import { dieWithParent, execute, exitNow } from "${SYS}execute.ts";\n${body}`;
  const args = ["run", "-A", "--no-config", "-"];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

Deno.test("execute becomes the program with exactly its words and environment", async () => {
  const script = 'printf \'[%s]\' \\"$0\\" \\"$@\\"; echo; cat /proc/self/environ; exit 7';
  const { code, stdout } = await runProgram(
    `execute("/bin/sh", ["sh", "-c", "${script}", "zero", "a b", "", "ü"], ["A=1", "B=", "A=1"]);`,
  );
  equal(code, 7);
  equal(stdout.split("\n")[0], "[zero][a b][][ü]");
  ok(stdout.split("\n")[1]?.startsWith("A=1\0B=\0"));
});

Deno.test("execute leaves no ignored signal and no open file of ours", async () => {
  const { stdout } = await runProgram(`
    const kept = Deno.openSync("/dev/null");
    execute("/bin/sh", ["sh", "-c", "grep Sig[IB] /proc/self/status; ls /proc/$$/fd"], []);`);
  match(stdout, /^SigBlk:\t0000000000000000$/m);
  // Bit 31 is the C library's own signal, which nobody can set.
  match(stdout, /^SigIgn:\t00000000[80]0000000$/m);
  deepEqual(stdout.match(/^\d+$/gm), ["0", "1", "2"]);
});

Deno.test("execute throws when the kernel refuses, and exitNow ends with the code", async () => {
  const { code, stdout } = await runProgram(`
    try { execute("/no/such", ["x"], []); } catch (error) { console.log(error.message); }
    dieWithParent(9);
    exitNow(99);`);
  equal(stdout, 'Cannot execute "/no/such": no such file or directory (execve: ENOENT)\n');
  equal(code, 99);
});
