import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../../src/errors.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { configBytes, MAX_CONFIG_BYTES, parseImageConfig } from "../../../src/oci/image_config.ts";

const DIFF_ID = sha256(new Uint8Array());
const LEAST = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [DIFF_ID] } };

function parse(document: unknown): ReturnType<typeof parseImageConfig> {
  return parseImageConfig(new TextEncoder().encode(JSON.stringify(document)));
}

Deno.test("parseImageConfig fills in what is absent or null and drops what it does not know", () => {
  const expected = { ...LEAST, config: {}, history: [] };
  deepEqual(parse(LEAST), expected);
  deepEqual(parse({ ...LEAST, config: null, history: null, container: "x", docker_version: "1" }), expected);
  deepEqual(parse({ ...LEAST, config: { Hostname: "h", Env: null, Cmd: null, User: "u" } }).config, { User: "u" });
  deepEqual(parse({ ...LEAST, rootfs: { type: "layers", diff_ids: null } }).rootfs.diff_ids, []);
});

Deno.test("parseImageConfig throws FormatError when the document is broken", () => {
  const cases: readonly [document: unknown, message: RegExp][] = [
    [{}, /"architecture"/],
    [{ ...LEAST, os: 1 }, /"os"/],
    [{ ...LEAST, rootfs: undefined }, /"rootfs"/],
    [{ ...LEAST, rootfs: { type: "other", diff_ids: [] } }, /"rootfs.type"/],
    [{ ...LEAST, rootfs: { type: "layers", diff_ids: ["sha256:x"] } }, /"rootfs.diff_ids.0"/],
    [{ ...LEAST, config: { Env: "A=1" } }, /"config.Env"/],
    [{ ...LEAST, config: { Labels: { a: 1 } } }, /"config.Labels.a"/],
    [{ ...LEAST, history: [{ empty_layer: "yes" }] }, /"history.0.empty_layer"/],
  ];
  for (const [document, message] of cases) throws(() => parse(document), message);
  throws(() => parseImageConfig(new Uint8Array(MAX_CONFIG_BYTES + 1)), FormatError);
  throws(() => parseImageConfig(new Uint8Array()), FormatError);
});

Deno.test("configBytes writes Docker's order, sorts maps and leaves out what is empty", () => {
  const config = parse({
    ...LEAST,
    variant: "v2",
    author: "",
    created: "2024-01-02T03:04:05Z",
    config: {
      Shell: ["/bin/bash"],
      Labels: { z: "<b>&", a: "" },
      Entrypoint: [],
      Cmd: ["x"],
      Env: ["A=1"],
      StopTimeout: 0,
      ExposedPorts: { "9/tcp": {}, "8/udp": {} },
      Healthcheck: { Test: ["NONE"], Interval: 0, Retries: 3 },
    },
    history: [{ empty_layer: false, created_by: "RUN x" }, { comment: "c", empty_layer: true }],
  });
  equal(
    new TextDecoder().decode(configBytes(config)),
    '{"architecture":"amd64","config":{"ExposedPorts":{"8/udp":{},"9/tcp":{}},"Env":["A=1"],"Cmd":["x"],' +
      '"Healthcheck":{"Test":["NONE"],"Retries":3},"Labels":{"a":"","z":"<b>&"},"StopTimeout":0,' +
      '"Shell":["/bin/bash"]},"created":"2024-01-02T03:04:05Z",' +
      '"history":[{"created_by":"RUN x"},{"comment":"c","empty_layer":true}],"os":"linux",' +
      `"rootfs":{"type":"layers","diff_ids":["${DIFF_ID}"]},"variant":"v2"}`,
  );
});

Deno.test("parseImageConfig undoes configBytes for any config", () => {
  const text = fc.string({ minLength: 1, maxLength: 8 });
  const list = fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 3 });
  const name = fc.stringMatching(/^[a-z/.]{1,8}$/);
  const container = fc.record({
    User: text,
    Env: list,
    Entrypoint: list,
    Cmd: list,
    Volumes: fc.dictionary(name, fc.constant({}), { minKeys: 1, noNullPrototype: true }),
    Labels: fc.dictionary(name, fc.string(), { minKeys: 1, noNullPrototype: true }),
    Healthcheck: fc.record({ Test: list, Interval: fc.integer({ min: 1 }) }, { requiredKeys: [] }),
    ArgsEscaped: fc.constant(true),
    OnBuild: list,
    StopTimeout: fc.nat(),
  }, { requiredKeys: [], noNullPrototype: true });
  const history = fc.record({ created: text, created_by: text, empty_layer: fc.constant(true) }, {
    requiredKeys: [],
    noNullPrototype: true,
  });
  const document = fc.record({
    architecture: text,
    os: text,
    config: container,
    history: fc.array(history),
    rootfs: fc.array(fc.uint8Array().map((bytes) => sha256(bytes))).map((diff_ids) => ({ type: "layers", diff_ids })),
  });
  fc.assert(fc.property(document, (value) => {
    const config = parse(value);
    deepEqual(JSON.parse(JSON.stringify(config)), JSON.parse(JSON.stringify(value)));
    deepEqual(parseImageConfig(configBytes(config)), config);
    deepEqual(configBytes(parseImageConfig(configBytes(config))), configBytes(config));
  }));
});
