package acctest

import "fmt"

// Workload makes a Deployment of one pod, labelled app=<name>, that runs under
// a ServiceAccount of the same name.
func (f *Fixture) Workload(namespace, name string) {
	f.t.Helper()
	f.Apply(namespace, fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: %[1]s}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      serviceAccountName: %[1]s
      containers: [{name: app, image: example.invalid/app}]
`, name))
}
