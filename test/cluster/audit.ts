import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { V1Pod, V1Status } from "@kubernetes/client-node";

/** A line of the audit log: audit.k8s.io/v1, Event. */
export interface AuditEvent {
  readonly auditID: string;
  readonly level: "Metadata" | "Request" | "RequestResponse";
  readonly stage: "ResponseStarted" | "ResponseComplete" | "Panic";
  readonly requestURI: string;
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
  };
  readonly responseStatus?: V1Status;
  /** Where pods are created. */
  readonly requestObject?: V1Pod;
  readonly responseObject?: V1Pod | V1Status;
  readonly requestReceivedTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Reads those lines of an audit log that are wanted, in their order. One that is still being written is left out. */
export async function readAuditLog(file: string, wanted: (event: AuditEvent) => boolean): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.endsWith("}")) continue;
    const event: AuditEvent | undefined = parsed(line);
    if (event && wanted(event)) events.push(event);
  }
  return events;
}

function parsed(line: string) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
