import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1Probe } from "@kubernetes/client-node";
import { send } from "../../http-client.ts";
import { Unsupported } from "./image.ts";

/**
 * Asks again and again, in the probe's own rhythm, until it is aborted; tells whenever the verdict is reached.
 *
 * @throws Unsupported for a probe that is not httpGet.
 */
export function startProbe(
  probe: V1Probe,
  container: V1Container,
  podIP: string,
  tell: (healthy: boolean) => void,
  signal: AbortSignal,
): void {
  void keepAsking(urlOf(probe, container, podIP), probe, tell, signal);
}

async function keepAsking(url: string, probe: V1Probe, tell: (healthy: boolean) => void, signal: AbortSignal) {
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1 } = probe;
  const { successThreshold = 1, failureThreshold = 3 } = probe;
  const pause = (seconds: number) => sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
  let good = 0;
  let bad = 0;
  await pause(initialDelaySeconds);
  while (!signal.aborted) {
    const healthy = await answersIn(url, timeoutSeconds * 1_000);
    if (signal.aborted) return;
    good = healthy ? good + 1 : 0;
    bad = healthy ? 0 : bad + 1;
    if (good === successThreshold) tell(true);
    if (bad === failureThreshold) tell(false);
    await pause(periodSeconds);
  }
}

function urlOf({ httpGet }: V1Probe, { name, ports = [] }: V1Container, podIP: string): string {
  if (!httpGet) throw new Unsupported(`a probe of container ${name} that is not httpGet`);
  const { scheme = "HTTP", path = "/", host = podIP } = httpGet;
  const port = ports.find((each) => each.name === httpGet.port)?.containerPort ?? httpGet.port;
  return `${scheme.toLowerCase()}://${host}:${port}${path}`;
}

async function answersIn(url: string, ms: number): Promise<boolean> {
  const answer = send(url).then(
    ({ status }) => status >= 200 && status < 400,
    () => false,
  );
  return await Promise.race([answer, sleep(ms, false, { ref: false })]);
}
