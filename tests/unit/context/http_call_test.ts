import { deepEqual, equal, rejects } from "node:assert/strict";
import { beforeSilence, callHttp, type HttpCall, MAX_ATTEMPTS, withAttempts } from "../../../src/context/http_call.ts";
import { fetchServices } from "../../support/fetch_services.ts";

interface Sent {
  readonly url: string;
  readonly authorization: string | null;
}

/** A fetch that answers from a list, by URL. */
function scripted(answers: Readonly<Record<string, Response>>, sent: Sent[] = []): ReturnType<typeof fetchServices> {
  return {
    ...fetchServices(),
    fetch: (url, init) => {
      sent.push({ url, authorization: new Headers(init.headers).get("authorization") });
      return Promise.resolve(answers[url]?.clone() ?? new Response("none", { status: 404 }));
    },
  };
}

function redirect(location: string, status = 302): Response {
  return new Response(null, { status, headers: { location } });
}

Deno.test("callHttp sends the login to its own origin alone", async () => {
  const sent: Sent[] = [];
  const services = scripted({
    "https://h/a": redirect("/b"),
    "https://h/b": redirect("https://x:y@other/c"),
    "https://other/c": redirect("https://h/d", 308),
    "https://h/d": new Response("ok"),
  }, sent);
  const answer = await callHttp({ action: "add", url: "https://me:w%C3%B6rd@h/a" }, services);
  equal(await new Response(answer.body).text(), "ok");
  equal(answer.url, "https://h/d");
  const login = `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode("me:wörd")))}`;
  deepEqual(sent, [
    { url: "https://h/a", authorization: login },
    { url: "https://h/b", authorization: login },
    { url: "https://other/c", authorization: null },
    { url: "https://h/d", authorization: login },
  ]);
});

const FAULTS: readonly (readonly [name: string, answer: Response, reason: RegExp])[] = [
  ["404", new Response("", { status: 404 }), /the server answered with status 404$/],
  ["206", new Response("", { status: 206 }), /the server answered with status 206$/],
  ["304", new Response(null, { status: 304 }), /status 304$/],
  [
    "a redirect to plain http",
    redirect("http://h/a?secret"),
    /refused a redirect from https to http:\/\/h\/a\?\*\*\*$/,
  ],
  ["a redirect to a file", redirect("file:///etc/passwd"), /redirects to file:\/\/, which is not followed$/],
  ["a redirect to nowhere", redirect("https://"), /redirects to what is no URL$/],
  ["a circle", redirect("https://h/a"), /more than 10 redirects$/],
];

for (const [name, answer, reason] of FAULTS) {
  Deno.test(`callHttp throws when the answer is ${name}`, async () => {
    const call: HttpCall = { action: "add", url: "https://u:p@h/a" };
    const services = scripted({ "https://h/a": answer });
    await rejects(callHttp(call, services), ({ message }: Error) => {
      equal(message.startsWith('Cannot add "https://xxxxx:xxxxx@h/a": '), true, message);
      equal(reason.test(message), true, message);
      return true;
    });
  });
}

Deno.test("callHttp follows to plain http when the bytes are verified", async () => {
  const services = scripted({ "https://h/a": redirect("http://h/b"), "http://h/b": new Response("ok") });
  const answer = await callHttp({ action: "add", url: "https://h/a", isVerified: true }, services);
  equal(await new Response(answer.body).text(), "ok");
});

Deno.test("withAttempts tries again while the network or the server fails", async () => {
  const waits: number[] = [];
  const services = fetchServices([], waits);
  const failures = [new TypeError("connection reset"), undefined];
  let calls = 0;
  const busy = {
    ...services,
    fetch: () => Promise.resolve(new Response("", { status: 503, headers: { "retry-after": "7" } })),
  };
  const call = { action: "add", url: "https://h/a" };
  const value = await withAttempts(call, services, async () => {
    calls++;
    if (calls === 1) throw failures[0];
    if (calls === 2) await callHttp(call, busy);
    return "done";
  });
  deepEqual([value, calls, waits], ["done", 3, [500, 7000]]);
});

Deno.test("withAttempts gives up in the end, and at once when trying again cannot help", async () => {
  const call = { action: "add", url: "https://u:p@h/a?sig=1" };
  let calls = 0;
  const failing = (text: string): Promise<unknown> =>
    withAttempts(call, fetchServices(), () => {
      calls++;
      return Promise.reject(new TypeError("error sending request", { cause: new Error(text) }));
    });
  await rejects(failing("reset by https://u:p@h/x?y"), {
    message: 'Cannot add "https://xxxxx:xxxxx@h/a?***": reset by https://xxxxx:xxxxx@h/x?***',
  });
  equal(calls, MAX_ATTEMPTS);
  calls = 0;
  await rejects(failing("invalid peer certificate: UnknownIssuer"), { name: "ContextError" });
  equal(calls, 1);
});

Deno.test("withAttempts stops when the build is told to", async () => {
  const reason = new Error("stop");
  const services = { ...fetchServices(), signal: AbortSignal.abort(reason) };
  const call = { action: "add", url: "https://h/a" };
  await rejects(withAttempts(call, services, () => Promise.reject(new TypeError("x"))), reason);
});

Deno.test("beforeSilence gives the value or the failure, and leaves no timer", async () => {
  equal(await beforeSilence(Promise.resolve(1)), 1);
  const failure = new TypeError("x");
  await rejects(beforeSilence(Promise.reject(failure)), failure);
});

Deno.test("beforeSilence fails when nothing comes for a minute", async () => {
  using time = new FakeTime();
  const waiting = beforeSilence(new Promise(() => {}));
  time.tick(59_999);
  const failed = rejects(waiting, { name: "TimeoutError", message: "no byte for 60 seconds" });
  time.tick(1);
  await failed;
});

/** Timers that go off when told. */
class FakeTime implements Disposable {
  readonly #real = globalThis.setTimeout;
  readonly #timers: { at: number; action: () => void }[] = [];
  #now = 0;

  constructor() {
    const fake = (action: () => void, delayMs = 0): number => this.#timers.push({ at: this.#now + delayMs, action });
    Object.assign(globalThis, { setTimeout: fake });
  }

  tick(byMs: number): void {
    this.#now += byMs;
    for (const { action } of this.#timers.filter(({ at }) => at <= this.#now)) action();
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { setTimeout: this.#real });
  }
}
