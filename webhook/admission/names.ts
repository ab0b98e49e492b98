/**
 * The names that users, nodes and other tools rely on. They are a contract: they do not change.
 */
export const PREFIX = "smc.asm.alibabacloud.com/";

export const ANNOTATION = {
  /** Pod: `"true"` asks for SMC, `"false"` declines. Written by the pod's author. */
  enabled: `${PREFIX}enabled`,
  /** Pod: `prefer`, `require` or `ignore`; overrides the setting. Written by the pod's author. */
  placement: `${PREFIX}placement`,
  /** Pod: what was injected and relaxed, as JSON. Written by the webhook. */
  status: `${PREFIX}status`,
  /** Node: every check and what was seen, as JSON. Written by the labeler. */
  probe: `${PREFIX}probe`,
} as const;

export const LABEL = {
  /** Namespace: `enabled` lets its pods ask for SMC. */
  injection: `${PREFIX}injection`,
  /** Node: `"true"` or `"false"`. */
  eligible: `${PREFIX}eligible`,
  /** Node: the first failed check's code, or `Eligible`. */
  reason: `${PREFIX}reason`,
  /** Node: `tcp2smc` or `bpf`; absent where the node can do neither. */
  method: `${PREFIX}method`,
  /** Namespace: Kubernetes' Pod Security Admission, the level it enforces. */
  podSecurityEnforce: "pod-security.kubernetes.io/enforce",
} as const;

/** The init container's name: ours alone in every pod's list of init containers. */
export const INIT_CONTAINER = "smc-init";

/** The mesh's own resource, and the only object of it that counts. */
export const MESH_CONFIG = {
  apiVersion: "istio.alibabacloud.com/v1beta1",
  kind: "ASMMeshConfig",
  name: "default",
} as const;
