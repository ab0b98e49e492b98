import { describe, expect, it } from "vitest";
import { faultLine } from "../../webhook/settings/fault.ts";
import { DEFAULTS, parseSettings } from "../../webhook/settings/load.ts";

const FILE = "/etc/smc/settings.yaml";

function settingsOf(text: string) {
  const parsed = parseSettings(text, FILE);
  if ("faults" in parsed) throw new Error(parsed.faults.map(faultLine).join("\n"));
  return parsed.settings;
}

function faultsOf(text: string): readonly string[] {
  const parsed = parseSettings(text, FILE);
  return "faults" in parsed ? parsed.faults.map(faultLine) : [];
}

describe("settings", () => {
  it.each([
    "",
    "---\n",
    "# nothing yet\n",
    "null",
    "{}",
    "listen:\nplacement:\ninitContainer:\n  sysctls:\n",
  ])("take their defaults from a file that says nothing: %j", (text) => {
    expect(settingsOf(text)).toEqual(DEFAULTS);
  });

  it("take what the file says, and the defaults for the rest of a group", () => {
    const settings = settingsOf("placement: { mode: require }\ninitContainer:\n  sysctls: { net.smc.wmem: '65536' }\n");
    expect(settings.placement).toEqual({ mode: "require", weight: DEFAULTS.placement.weight });
    expect(settings.initContainer.sysctls).toEqual({ "net.smc.wmem": "65536" });
    expect(settings.listen).toEqual(DEFAULTS.listen);
  });

  it("find relative folders next to the file", () => {
    const settings = settingsOf("mesh: { folder: mesh }\ncertificates: { folder: ../tls }\n");
    expect(settings.mesh.folder).toBe("/etc/smc/mesh");
    expect(settings.certificates.folder).toBe("/etc/tls");
  });
});

describe("a fault", () => {
  it.each([
    ["log:\n  level: loud\n", 'settings.yaml:2: log.level: found "loud"; accepted: debug, info, warn, error'],
    ["log:\n  level:\n", "settings.yaml:2: log.level: found nothing; accepted: debug, info, warn, error"],
    ["\nipFamilies: [IPv5]\n", 'settings.yaml:2: ipFamilies[0]: found "IPv5"; accepted: IPv4, IPv6'],
    ["ipFamilies:\n- IPv4\n- 6\n", "settings.yaml:3: ipFamilies[1]: found 6; accepted: IPv4, IPv6"],
    ["placement: { weight: 0 }", "placement.weight: found 0; accepted: a whole number from 1 to 100"],
    ["placement: { weight: .nan }", "placement.weight: found NaN; accepted: a whole number from 1 to 100"],
    ["initContainer: { image: A B }", 'initContainer.image: found "A B"; accepted: an image reference'],
    ["initContainer: { cpu: 0m }", 'initContainer.cpu: found "0m"; accepted: a quantity above zero'],
    ["initContainer: { cpu: 1 }", "initContainer.cpu: found 1; accepted: a quantity above zero, such as 10m; as text"],
    ["certificates: { issue: yes }", 'certificates.issue: found "yes"; accepted: true or false'],
    ["listen: 3", "settings.yaml:1: listen: found 3; accepted: a group with the keys https, http"],
    ["mesh: [a]", 'mesh: found ["a"]; accepted: a group with the keys source, folder'],
    ["relaxations: { capabilities: [A_B, A_B] }", 'found ["A_B","A_B"]; accepted: a list of capabilities'],
    [`mesh: { folder: ${"x".repeat(600)} }`, "x…; accepted: a folder's path, at most 512 characters"],
    ["initContainer: { sysctls: { kernel.x: '1' } }", 'initContainer.sysctls["kernel.x"]: found "1"; accepted: names'],
    ["initContainer: { sysctls: { net.a.b: 1 } }", 'sysctls["net.a.b"]: found 1; accepted: whole numbers in quotes'],
    ["initContainer: { sysctls: { net.smc.tcp2smc: '1' } }", 'sysctls["net.smc.tcp2smc"]: found "1"; accepted: names'],
    ["relaxations: { capabilities: [CAP_IPC_LOCK] }", "accepted: a capability without CAP_"],
    ["relaxations: { capabilities: [SYS_ADMIN] }", "accepted: with relaxations.allowPrivilegeEscalation: on alone"],
    [
      "sidecar: { containerName: smc-init }",
      'sidecar.containerName: found "smc-init"; accepted: the name of a container',
    ],
    [
      "sidecar: { initContainerNames: [istio-proxy] }",
      'initContainerNames[0]: found "istio-proxy"; accepted: the name',
    ],
    ["initContainer: { memory: '16' }", 'initContainer.memory: found "16"; accepted: a quantity from 4Mi to 4Gi'],
    ["initContainer: { cpu: 16Mi }", 'initContainer.cpu: found "16Mi"; accepted: a quantity from 1m to 16'],
    ["initContainer: { image: 'r.example:99999/x' }", "initContainer.image: found port 99999; accepted: a port up to"],
    ["placement:\n  wieght: 3\n", "settings.yaml:2: placement.wieght: unknown key, did you mean weight?"],
    ["Log: {}", "Log: unknown key, did you mean log? accepted here: listen, mesh,"],
    ["zebra: 1", "zebra: unknown key; accepted here: listen, mesh,"],
    ["<<: { log: {} }", "unknown key; accepted here: listen"],
    ["? [a]\n: 1\n", "unknown key; accepted here: listen"],
    ["__proto__: { log: {} }", "__proto__: unknown key"],
    ["log: { constructor: 1 }", "log.constructor: unknown key"],
    ["initContainer: { sysctls: { __proto__: '1' } }", 'initContainer.sysctls.__proto__: found "1"'],
    ["- log", "settings.yaml:1: the file holds a list; accepted: a mapping of settings"],
    ["\njust text", "settings.yaml:2: the file holds a single value; accepted: a mapping of settings"],
    ["log: {}\n---\nmesh: {}\n", "settings.yaml:3: a second YAML document starts here; accepted: one document"],
    ["log: {}\nmesh: {}\nlog: {}\n", "settings.yaml:3: the key log is written twice in one group"],
    ["log: {}\nmesh: a: b\n", "settings.yaml:2: not valid YAML: "],
    ["log: !!js/function x", "settings.yaml:1: not valid YAML: Unresolved tag"],
    ["log: &log {}\nmesh: *log\n", "settings.yaml:2: a YAML alias; accepted: the value itself, written out"],
    ["[".repeat(100_000), "settings.yaml:1: "],
    [`# ${"x".repeat(1024 * 1024)}`, "settings.yaml:1: the file is longer than 1 MiB"],
  ])("of %.60j is named with its place and what is accepted", (text, expected) => {
    const [first, ...others] = faultsOf(text);
    expect(first).toContain(expected);
    if (!text.startsWith("[[")) expect(others).toEqual([]);
  });

  it("of aliases that unfold to billions is found without unfolding them", () => {
    const rows = Array.from({ length: 30 }, (_, row) => `a${row + 1}: &a${row + 1} [*a${row}, *a${row}, *a${row}]`);
    expect(faultsOf(`a0: &a0 [x]\n${rows.join("\n")}\n`)).toEqual([expect.stringContaining(":2: a YAML alias")]);
  });

  it.each([
    ["listen: { http: { port: 8443 } }", "listen.http.port: found 8443, which is listen.https.port too"],
    ["listen: { https: { host: 1.2.3 } }", 'listen.https.host: found "1.2.3", which is no valid IP address'],
    ["listen: { http: { host: '::g' } }", 'listen.http.host: found "::g"'],
    ["certificates: { ipAddresses: [127.0.0.1, 300.0.0.1] }", 'certificates.ipAddresses[1]: found "300.0.0.1"'],
    [
      "certificates:\n  issue: true\n  dnsNames: []\n  ipAddresses: []\n",
      ":2: certificates.issue: found true with neither",
    ],
    [
      "certificates:\n  source: secret\n  dnsNames: []\n  ipAddresses: []\n",
      'certificates.webhookConfiguration: found "smc-webhook" with no name that its webhooks could call',
    ],
    ["ipFamilies: []", "ipFamilies: found an empty list"],
    ["shutdown: { drainSeconds: 25 }", "shutdown.drainSeconds: found 25; accepted: less than shutdown.graceSeconds"],
  ])("between settings is named too: %j", (text, expected) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  it.each([
    "listen: { https: { port: 0 }, http: { port: 0 } }",
    "listen: { https: { host: '::' }, http: { host: localhost } }",
    "certificates: { dnsNames: [], ipAddresses: [] }",
    "certificates: { issue: true, dnsNames: [] }",
    "certificates: { source: secret, webhookConfiguration: '', dnsNames: [], ipAddresses: [] }",
  ])("is not seen in %j", (text) => {
    expect(faultsOf(text)).toEqual([]);
  });

  it("does not hide the others, in the file's order and up to ten", () => {
    const faults = faultsOf("zebra: 1\nlog: { level: loud }\nplacement: { mode: x, weight: 0 }\n");
    expect(faults.map((fault) => fault.split(": ")[1])).toEqual([
      "zebra",
      "log.level",
      "placement.mode",
      "placement.weight",
    ]);
    const many = Array.from({ length: 50 }, (_, index) => `zebra${index}: 1`).join("\n");
    expect(faultsOf(many)).toHaveLength(10);
  });
});
