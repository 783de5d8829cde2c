package cluster

// Objects of the kinds that the provider writes, each with what the server is
// known to rewrite or to fill in.
const (
	gatewayDeployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: gw, namespace: $ns, labels: {app: gw}}
spec:
  replicas: 1
  selector: {matchLabels: {app: gw}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 100%, maxUnavailable: 0}}
  template:
    metadata:
      labels: {app: gw, sidecar.istio.io/inject: "false"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: gw
      terminationGracePeriodSeconds: 30
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{key: egress, operator: Exists, effect: NoSchedule}]
      securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: gw}}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: gw}}}}
      containers:
      - name: istio-proxy
        image: registry.example/proxy:1
        resources: {requests: {cpu: 0.1, memory: 128Mi}, limits: {cpu: 2000m, memory: 1024Mi}}
        ports: [{name: http-envoy-prom, containerPort: 15090}]
        env:
        - {name: A, value: b}
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        readinessProbe: {httpGet: {path: /ready, port: 15021}}
        securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: certs, mountPath: /certs}]
      volumes:
      - {name: certs, secret: {secretName: certs, optional: true}}
      - {name: scratch, emptyDir: {}}
`
	gatewayService = `
apiVersion: v1
kind: Service
metadata: {name: gw, namespace: $ns, annotations: {a: b}}
spec:
  type: ClusterIP
  selector: {app: gw}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: https, port: 443, targetPort: 8443, protocol: TCP, appProtocol: https}
`
	gatewayAccount = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: gw, namespace: $ns}
`
	gatewayRole = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: gw, namespace: $ns}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, watch, list]}]
`
	gatewayRoleBinding = `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gw, namespace: $ns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gw}
subjects: [{kind: ServiceAccount, name: gw, namespace: $ns}]
`
	gatewayAutoscaler = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: gw, namespace: $ns}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gw}
  minReplicas: 1
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
`
	gatewayBudget = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: gw, namespace: $ns}
spec: {minAvailable: 50%, selector: {matchLabels: {app: gw}}}
`
	gatewayNetworkPolicy = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: gw, namespace: $ns}
spec:
  podSelector: {matchLabels: {app: gw}}
  policyTypes: [Ingress]
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 15021}, {port: 10000, endPort: 20000}]}]
`
	istioGateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw-10000, namespace: $ns}
spec:
  selector: {istio: gw}
  servers:
  - port: {number: 10000, name: e0, protocol: HTTPS}
    hosts: [./httpbin.org]
    tls: {mode: ISTIO_MUTUAL, subjectAltNames: [spiffe://cluster.local/ns/a/sa/a]}
`
	virtualService = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: mesh, namespace: $ns}
spec:
  hosts: [httpbin.org]
  gateways: [mesh]
  exportTo: ["."]
  http:
  - match: [{port: 80, sourceLabels: {app: a}}]
    route: [{destination: {host: p-egw.$ns.svc.cluster.local, port: {number: 80}}}]
    timeout: 60s
    retries: {attempts: 2, perTryTimeout: 2s}
`
	destinationRule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: client, namespace: $ns}
spec:
  host: p-egw.$ns.svc.cluster.local
  exportTo: ["."]
  trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: ISTIO_MUTUAL, sni: httpbin.org}}]}
`
	authorizationPolicy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gw-baseline, namespace: $ns}
spec:
  selector: {matchLabels: {istio: gw}}
`
	telemetryObject = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: gw, namespace: $ns}
spec:
  selector: {matchLabels: {istio: gw}}
  accessLogging: [{providers: [{name: envoy}], disabled: false}]
`
)

// everyKind has one object of each kind that is written.
var everyKind = []string{
	gatewayAccount, gatewayRole, gatewayRoleBinding, gatewayDeployment, gatewayService, gatewayAutoscaler, gatewayBudget,
	gatewayNetworkPolicy, istioGateway, virtualService, destinationRule, serviceEntry, authorizationPolicy, telemetryObject,
}
