#!/bin/sh
# A credential plugin of Kubernetes whose credential is the workload identity token
# of the run. Where the cluster wants another one, this is the place to trade it.
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}\n' \
  "${TFC_WORKLOAD_IDENTITY_TOKEN:?is not set: the workspace needs the environment variable TFC_WORKLOAD_IDENTITY_AUDIENCE}"
