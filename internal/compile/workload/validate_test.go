package workload

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// TestValidate changes one thing of a valid intent at a time. The key of each
// case is the path that the problem must have, with a note after a space.
func TestValidate(t *testing.T) {
	set := func(change func(p *Pod)) func(g *Gateway) {
		return func(g *Gateway) { g.Pod = &Pod{}; change(g.Pod) }
	}
	service := func(s Service) func(g *Gateway) { return func(g *Gateway) { g.Service = &s } }
	toleration := func(value Toleration) func(g *Gateway) {
		return func(g *Gateway) { g.Tolerations = []Toleration{value} }
	}
	node := func(term NodeSelectorTerm) func(g *Gateway) {
		return func(g *Gateway) {
			g.Affinity = &Affinity{NodeAffinity: &NodeAffinity{Required: &NodeSelector{NodeSelectorTerms: []NodeSelectorTerm{term}}}}
		}
	}
	const required = "affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms"

	for path, change := range map[string]func(g *Gateway){
		"name upper case":           func(g *Gateway) { g.Name = "Egress" },
		"name with a dot":           func(g *Gateway) { g.Name = "a.b" },
		"name starts with a digit":  func(g *Gateway) { g.Name = "1a" },
		"name empty":                func(g *Gateway) { g.Name = "" },
		"name of 33 characters":     func(g *Gateway) { g.Name = strings.Repeat("a", 33) },
		"namespace invalid":         func(g *Gateway) { g.Namespace = "a_b" },
		"namespace is the root":     func(g *Gateway) { g.Namespace = "istio-system" },
		"revision empty":            func(g *Gateway) { g.Revision = ptr("") },
		"revision invalid":          func(g *Gateway) { g.Revision = ptr("a b") },
		"labels key":                func(g *Gateway) { g.Labels = map[string]string{"a b": "c"} },
		"labels value":              func(g *Gateway) { g.Labels = map[string]string{"a": "b c"} },
		"labels reserved":           func(g *Gateway) { g.Labels = map[string]string{"istio": "other"} },
		"labels ours":               func(g *Gateway) { g.Labels = map[string]string{compile.LabelGateway: "x"} },
		"annotations key":           func(g *Gateway) { g.Annotations = map[string]string{"/": "c"} },
		"annotations ours":          func(g *Gateway) { g.Annotations = map[string]string{compile.AnnotationSpec: "{}"} },
		"ports none":                func(g *Gateway) { g.Ports = nil },
		"ports[1].name taken":       func(g *Gateway) { g.Ports[1].Name = "http" },
		"ports[0].name invalid":     func(g *Gateway) { g.Ports[0].Name = "HTTP" },
		"ports[1].port taken":       func(g *Gateway) { g.Ports[1].Port = 80 },
		"ports[0].port zero":        func(g *Gateway) { g.Ports[0].Port = 0 },
		"ports[0].port 65536":       func(g *Gateway) { g.Ports[0].Port = 65536 },
		"ports[0].port privileged":  func(g *Gateway) { g.Ports[0].TargetPort = nil },
		"ports[0].target_port 1023": func(g *Gateway) { g.Ports[0].TargetPort = ptr[int64](1023) },
		"ports[0].target_port 0":    func(g *Gateway) { g.Ports[0].TargetPort = ptr[int64](0) },
		"ports[0].target_port admin": func(g *Gateway) {
			g.Ports[0].TargetPort = ptr[int64](15000)
		},
		"ports[0].target_port 15099":           func(g *Gateway) { g.Ports[0].TargetPort = ptr[int64](15099) },
		"ports[0].target_port passthrough":     func(g *Gateway) { g.Ports[0].TargetPort = ptr[int64](15443) },
		"ports[0].target_port admin, as root":  func(g *Gateway) { g.RunAsRoot = true; g.Ports[0].TargetPort = ptr[int64](15000) },
		"ports[0].protocol of the application": func(g *Gateway) { g.Ports[0].Protocol = ptr("HTTP") },
		"ports[0].app_protocol invalid":        func(g *Gateway) { g.Ports[0].AppProtocol = ptr("h 2") },
		"ports[0].node_port of a ClusterIP":    func(g *Gateway) { g.Ports[0].NodePort = ptr[int64](30080) },
		"ports[1].node_port taken": func(g *Gateway) {
			g.Service = &Service{Type: ptr("NodePort")}
			g.Ports[0].NodePort, g.Ports[1].NodePort = ptr[int64](30080), ptr[int64](30080)
		},
		"service.type unknown":                       service(Service{Type: ptr("ExternalName")}),
		"service.load_balancer_ip without one":       service(Service{LoadBalancerIP: ptr("10.0.0.1")}),
		"service.load_balancer_ip invalid":           service(Service{Type: ptr("LoadBalancer"), LoadBalancerIP: ptr("10.0.0")}),
		"service.load_balancer_class without one":    service(Service{Type: ptr("NodePort"), LoadBalancerClass: ptr("a")}),
		"service.load_balancer_class invalid":        service(Service{Type: ptr("LoadBalancer"), LoadBalancerClass: ptr("")}),
		"service.load_balancer_source_ranges no lb":  service(Service{LoadBalancerSourceRanges: []string{"10.0.0.0/8"}}),
		"service.load_balancer_source_ranges[0] bad": service(Service{Type: ptr("LoadBalancer"), LoadBalancerSourceRanges: []string{"10.0.0.0"}}),
		"service.external_traffic_policy ClusterIP":  service(Service{ExternalTrafficPolicy: ptr("Local")}),
		"service.external_traffic_policy unknown":    service(Service{Type: ptr("NodePort"), ExternalTrafficPolicy: ptr("local")}),
		"service.internal_traffic_policy unknown":    service(Service{InternalTrafficPolicy: ptr("local")}),
		"service.session_affinity unknown":           service(Service{SessionAffinity: ptr("Cookie")}),
		"service.ip_family_policy unknown":           service(Service{IPFamilyPolicy: ptr("Dual")}),
		"service.ip_families[0] unknown":             service(Service{IPFamilies: []string{"IPv5"}}),
		"service.ip_families[1] twice":               service(Service{IPFamilyPolicy: ptr("PreferDualStack"), IPFamilies: []string{"IPv4", "IPv4"}}),
		"service.ip_families single stack":           service(Service{IPFamilies: []string{"IPv4", "IPv6"}}),
		"service.labels reserved":                    service(Service{Labels: map[string]string{"app": "x"}}),
		"service.annotations key":                    service(Service{Annotations: map[string]string{" ": "x"}}),

		"replicas negative":          func(g *Gateway) { g.Replicas = ptr[int64](-1) },
		"replicas with autoscaling":  func(g *Gateway) { g.Replicas = ptr[int64](1); g.Autoscaling = &Autoscaling{MaxReplicas: 2} },
		"autoscaling.min_replicas 0": func(g *Gateway) { g.Autoscaling = &Autoscaling{MinReplicas: ptr[int64](0), MaxReplicas: 2} },
		"autoscaling.min_replicas above": func(g *Gateway) {
			g.Autoscaling = &Autoscaling{MinReplicas: ptr[int64](3), MaxReplicas: 2}
		},
		"autoscaling.cpu_utilization 0": func(g *Gateway) {
			g.Autoscaling = &Autoscaling{MaxReplicas: 2, CPUUtilization: ptr[int64](0)}
		},
		"autoscaling.memory_utilization without request": func(g *Gateway) {
			g.Autoscaling = &Autoscaling{MaxReplicas: 2, MemoryUtilization: ptr[int64](50)}
			g.Resources = &Resources{Requests: map[string]string{"cpu": "1"}}
		},
		"autoscaling.cpu_utilization by default, without request": func(g *Gateway) {
			g.Autoscaling = &Autoscaling{MaxReplicas: 2}
			g.Resources = &Resources{}
		},
		"rolling_update.max_surge word":          func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxSurge: ptr("half")} },
		"rolling_update.max_surge fraction":      func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxSurge: ptr("2.5%")} },
		"rolling_update.max_unavailable minus":   func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxUnavailable: ptr("-1")} },
		"rolling_update.max_unavailable 101%":    func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxUnavailable: ptr("101%")} },
		"rolling_update.max_unavailable percent": func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxUnavailable: ptr("%")} },
		"rolling_update without room": func(g *Gateway) {
			g.RollingUpdate = &RollingUpdate{MaxUnavailable: ptr("0%"), MaxSurge: ptr("0")}
		},
		"resources.requests word":     func(g *Gateway) { g.Resources = &Resources{Requests: map[string]string{"cpu": "much"}} },
		"resources.requests negative": func(g *Gateway) { g.Resources = &Resources{Requests: map[string]string{"cpu": "-1"}} },
		"resources.requests name":     func(g *Gateway) { g.Resources = &Resources{Requests: map[string]string{"cpus": "1"}} },
		"resources.limits unit":       func(g *Gateway) { g.Resources = &Resources{Limits: map[string]string{"memory": "1GB"}} },
		"resources.requests above the limit": func(g *Gateway) {
			g.Resources = &Resources{Requests: map[string]string{"cpu": "2"}, Limits: map[string]string{"cpu": "1999m"}}
		},
		"pod_disruption_budget both": func(g *Gateway) {
			g.PodDisruptionBudget = &PodDisruptionBudget{MinAvailable: ptr("1"), MaxUnavailable: ptr("1")}
		},
		"pod_disruption_budget neither": func(g *Gateway) { g.PodDisruptionBudget = &PodDisruptionBudget{} },
		"pod_disruption_budget.min_available 200%": func(g *Gateway) {
			g.PodDisruptionBudget = &PodDisruptionBudget{MinAvailable: ptr("200%")}
		},
		"pod_disruption_budget.max_unavailable word": func(g *Gateway) {
			g.PodDisruptionBudget = &PodDisruptionBudget{MaxUnavailable: ptr("one")}
		},

		"node_selector key":                     func(g *Gateway) { g.NodeSelector = map[string]string{"a b": "c"} },
		"priority_class_name invalid":           func(g *Gateway) { g.PriorityClassName = ptr("A") },
		"tolerations[0].operator without key":   toleration(Toleration{}),
		"tolerations[0].operator unknown":       toleration(Toleration{Key: ptr("a"), Operator: ptr("In")}),
		"tolerations[0].effect unknown":         toleration(Toleration{Key: ptr("a"), Effect: ptr("Evict")}),
		"tolerations[0].key invalid":            toleration(Toleration{Key: ptr("a b")}),
		"tolerations[0].value of Exists":        toleration(Toleration{Key: ptr("a"), Operator: ptr("Exists"), Value: ptr("b")}),
		"tolerations[0].value invalid":          toleration(Toleration{Key: ptr("a"), Value: ptr("b c")}),
		"tolerations[0].toleration_seconds":     toleration(Toleration{Key: ptr("a"), TolerationSeconds: ptr[int64](1)}),
		required + " none":                      func(g *Gateway) { g.Affinity = &Affinity{NodeAffinity: &NodeAffinity{Required: &NodeSelector{}}} },
		required + "[0] empty":                  node(NodeSelectorTerm{}),
		required + "[0].match_fields[0].key":    node(NodeSelectorTerm{MatchFields: []Requirement{{Key: "spec.x", Operator: "In", Values: []string{"a"}}}}),
		required + "[0].match_fields[0].values": node(NodeSelectorTerm{MatchFields: []Requirement{{Key: "metadata.name", Operator: "In"}}}),
		required + "[0].match_expressions[0].operator": node(NodeSelectorTerm{MatchExpressions: []Requirement{
			{Key: "a", Operator: "Is"}}}),
		required + "[0].match_expressions[0].values none": node(NodeSelectorTerm{MatchExpressions: []Requirement{
			{Key: "a", Operator: "In"}}}),
		required + "[0].match_expressions[0].values some": node(NodeSelectorTerm{MatchExpressions: []Requirement{
			{Key: "a", Operator: "Exists", Values: []string{"b"}}}}),
		required + "[0].match_expressions[0].values word": node(NodeSelectorTerm{MatchExpressions: []Requirement{
			{Key: "a", Operator: "Gt", Values: []string{"b"}}}}),
		required + "[0].match_expressions[0].values[0]": node(NodeSelectorTerm{MatchExpressions: []Requirement{
			{Key: "a", Operator: "In", Values: []string{"b c"}}}}),
		"affinity.node_affinity.preferred_during_scheduling_ignored_during_execution[0].weight": func(g *Gateway) {
			g.Affinity = &Affinity{NodeAffinity: &NodeAffinity{Preferred: []PreferredSchedulingTerm{{
				Weight: 0, Preference: NodeSelectorTerm{MatchExpressions: []Requirement{{Key: "a", Operator: "Exists"}}}}}}}
		},
		"affinity.pod_affinity.required_during_scheduling_ignored_during_execution[0].topology_key": func(g *Gateway) {
			g.Affinity = &Affinity{PodAffinity: &PodAffinity{Required: []PodAffinityTerm{{}}}}
		},
		"affinity.pod_anti_affinity.preferred_during_scheduling_ignored_during_execution[0].weight": func(g *Gateway) {
			g.Affinity = &Affinity{PodAntiAffinity: &PodAffinity{Preferred: []WeightedPodAffinityTerm{{
				Weight: 101, PodAffinityTerm: PodAffinityTerm{TopologyKey: "a"}}}}}
		},
		"affinity.pod_affinity.required_during_scheduling_ignored_during_execution[0].label_selector.match_expressions[0].operator Gt": func(g *Gateway) {
			g.Affinity = &Affinity{PodAffinity: &PodAffinity{Required: []PodAffinityTerm{{TopologyKey: "a",
				LabelSelector: &LabelSelector{MatchExpressions: []Requirement{{Key: "a", Operator: "Gt", Values: []string{"1"}}}}}}}}
		},
		"topology_spread_constraints[0].max_skew": func(g *Gateway) {
			g.TopologySpreadConstraints = []TopologySpreadConstraint{{TopologyKey: "a", WhenUnsatisfiable: "DoNotSchedule"}}
		},
		"topology_spread_constraints[0].when_unsatisfiable": func(g *Gateway) {
			g.TopologySpreadConstraints = []TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "a", WhenUnsatisfiable: "x"}}
		},
		"topology_spread_constraints[0].min_domains": func(g *Gateway) {
			g.TopologySpreadConstraints = []TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "a", WhenUnsatisfiable: "ScheduleAnyway", MinDomains: ptr[int64](1)}}
		},
		"topology_spread_constraints[1] duplicate": func(g *Gateway) {
			c := TopologySpreadConstraint{MaxSkew: 1, TopologyKey: "a", WhenUnsatisfiable: "ScheduleAnyway"}
			g.TopologySpreadConstraints = []TopologySpreadConstraint{c, c}
		},

		"pod.labels reserved":       set(func(p *Pod) { p.Labels = map[string]string{"sidecar.istio.io/inject": "false"} }),
		"pod.annotations reserved":  set(func(p *Pod) { p.Annotations = map[string]string{"inject.istio.io/templates": "sidecar"} }),
		"pod.env name":              set(func(p *Pod) { p.Env = map[string]string{"A=B": "x"} }),
		"pod.image_pull_secrets[0]": set(func(p *Pod) { p.ImagePullSecrets = []string{"A"} }),
		"pod.dns_policy None":       set(func(p *Pod) { p.DNSPolicy = ptr("None") }),
		"pod.sysctls name":          set(func(p *Pod) { p.Sysctls = map[string]string{"A": "1"} }),
		"pod.sysctls of the host":   set(func(p *Pod) { p.HostNetwork = ptr(true); p.Sysctls = map[string]string{"net.a": "1"} }),
		"pod.readiness_probe.period_seconds": set(func(p *Pod) {
			p.ReadinessProbe = &ReadinessProbe{PeriodSeconds: ptr[int64](0)}
		}),
		"pod.termination_grace_period_seconds": set(func(p *Pod) { p.TerminationGracePeriodSeconds = ptr[int64](-1) }),
		"pod.pre_stop none":                    set(func(p *Pod) { p.PreStop = &PreStop{} }),
		"pod.pre_stop two": set(func(p *Pod) {
			p.PreStop = &PreStop{Sleep: &SleepAction{Seconds: 1}, HTTPGet: &HTTPGetAction{Port: 80}}
		}),
		"pod.pre_stop.exec.command empty": set(func(p *Pod) { p.PreStop = &PreStop{Exec: &ExecAction{}} }),
		"pod.pre_stop.http_get.port":      set(func(p *Pod) { p.PreStop = &PreStop{HTTPGet: &HTTPGetAction{}} }),
		"pod.pre_stop.sleep.seconds":      set(func(p *Pod) { p.PreStop = &PreStop{Sleep: &SleepAction{}} }),
		"pod.secret_volumes[0].name of Istio": set(func(p *Pod) {
			p.SecretVolumes = []SecretVolume{{Name: "istio-token", SecretName: "a", MountPath: "/a"}}
		}),
		"pod.config_map_volumes[0].name taken": set(func(p *Pod) {
			p.SecretVolumes = []SecretVolume{{Name: "a", SecretName: "a", MountPath: "/a"}}
			p.ConfigMapVolumes = []ConfigMapVolume{{Name: "a", ConfigMapName: "a", MountPath: "/b"}}
		}),
		"pod.config_map_volumes[0].mount_path taken": set(func(p *Pod) {
			p.SecretVolumes = []SecretVolume{{Name: "a", SecretName: "a", MountPath: "/a"}}
			p.ConfigMapVolumes = []ConfigMapVolume{{Name: "b", ConfigMapName: "a", MountPath: "/a/"}}
		}),
		"pod.secret_volumes[0].mount_path relative": set(func(p *Pod) {
			p.SecretVolumes = []SecretVolume{{Name: "a", SecretName: "a", MountPath: "a"}}
		}),
		"pod.secret_volumes[0].secret_name": set(func(p *Pod) {
			p.SecretVolumes = []SecretVolume{{Name: "a", SecretName: "", MountPath: "/a"}}
		}),

		"authorization unknown":            func(g *Gateway) { g.Authorization = "all" },
		"authorization without mutual TLS": func(g *Gateway) { g.MutualTLS = false },
	} {
		t.Run(path, func(t *testing.T) {
			g := Defaults()
			g.Name = "a"
			change(&g)
			want, _, _ := strings.Cut(path, " ")
			var got []string
			for _, p := range Validate(g, testMesh) {
				got = append(got, compile.PathText(p.Path))
				if p.Summary == "" || p.Detail == "" || p.Warning {
					t.Errorf("problem without words: %+v", p)
				}
			}
			if !slices.Equal(got, []string{want}) {
				t.Errorf("problems at %q, want one at %q", got, want)
			}
		})
	}
}

// TestValidIntents are the borders of what is refused.
func TestValidIntents(t *testing.T) {
	for name, change := range map[string]func(g *Gateway){
		"minimum is maximum":       func(g *Gateway) { g.Autoscaling = &Autoscaling{MinReplicas: ptr[int64](2), MaxReplicas: 2} },
		"32 characters":            func(g *Gateway) { g.Name = strings.Repeat("a", 32) },
		"low target port as root":  func(g *Gateway) { g.RunAsRoot = true; g.Ports[0].TargetPort = nil },
		"target port 1024":         func(g *Gateway) { g.Ports[0].TargetPort = ptr[int64](1024) },
		"status port":              func(g *Gateway) { g.Ports[0].Port, g.Ports[0].TargetPort = 15021, ptr[int64](15021) },
		"one port, two transports": func(g *Gateway) { g.Ports[1].Port, g.Ports[1].Protocol = 80, ptr("UDP") },
		"no replicas":              func(g *Gateway) { g.Replicas = ptr[int64](0) },
		"surge of 200%":            func(g *Gateway) { g.RollingUpdate = &RollingUpdate{MaxSurge: ptr("200%")} },
		"limit is a request": func(g *Gateway) {
			g.Autoscaling = &Autoscaling{MaxReplicas: 2}
			g.Resources = &Resources{Limits: map[string]string{"cpu": "1"}}
		},
		"open without mutual TLS": func(g *Gateway) { g.MutualTLS, g.Authorization = false, "none" },
		"extended resource":       func(g *Gateway) { g.Resources = &Resources{Limits: map[string]string{"example.com/nic": "1"}} },
	} {
		t.Run(name, func(t *testing.T) {
			g := Defaults()
			g.Name = "a"
			change(&g)
			if problems := Validate(g, testMesh); len(problems) > 0 {
				t.Errorf("%+v", problems)
			}
		})
	}
}
