package faults

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// Rows of the matrix that are answers of the server, or none.
const (
	rowBusy     = "429, 500, 503, restart, GOAWAY"
	rowLost     = "504 or reset"
	rowSlow     = "black hole, slow link"
	rowNonsense = "nonsense with 200"
	rowConflict = "409"
	rowTaken    = "taken between look and write"
	rowRefused  = "422, webhooks"
	rowAccess   = "401, 403"
	rowGone     = "namespace, CRD or object gone"
	rowReplaced = "replaced, finalizer, being deleted"
	rowDrift    = "foreign edits"
	rowAPIs     = "aggregated API down"
	rowModes    = "-refresh=false, -replace, -target, -parallelism"
	rowSignals  = "SIGINT, SIGKILL"
	rowInUse    = "gateway in use"
)

// everywhere says that every operation comes to the same.
func everywhere(end outcome) map[operation]outcome {
	ends := map[operation]outcome{}
	for _, op := range operations {
		ends[op] = end
	}
	ends[planNew] = told
	if end == succeeds {
		ends[planNew] = succeeds
	}
	return ends
}

// changing are the operations that write.
func changing(end outcome) map[operation]outcome {
	return map[operation]outcome{create: end, update: end, destroy: end}
}

// times is one rule: the fault at request number at, so many times.
func times(when func(proxy.Request) bool, n int, f proxy.Fault) func(*cell, int) []proxy.Rule {
	return func(_ *cell, at int) []proxy.Rule {
		return []proxy.Rule{{When: when, Skip: at, Times: n, Fault: f}}
	}
}

// simple is a fault of one rule at each request.
func simple(row, name string, ends map[operation]outcome, when func(proxy.Request) bool, n int, f proxy.Fault) *fault {
	return &fault{row: row, name: name, on: ends, when: when, rules: times(when, n, f)}
}

func status(code int, reason metav1.StatusReason, message string) proxy.Fault {
	return proxy.Status(code, reason, message, 0)
}

// answers are the rows that a proxy alone can make.
func answers() []*fault {
	busy := func(name string, n int, f proxy.Fault) *fault {
		return simple(rowBusy, name, everywhere(succeeds), proxy.All, n, f)
	}
	lost := func(name string, f proxy.Fault) []*fault {
		return []*fault{
			simple(rowLost, name+", not committed", everywhere(succeeds), proxy.All, 1, f),
			simple(rowLost, name+", committed", changing(succeeds), proxy.Writes, 1, proxy.Lost(f)),
		}
	}
	nonsense := func(name string, f proxy.Fault) *fault {
		return simple(rowNonsense, name, map[operation]outcome{
			planNew: told, create: told, read: told, update: told, destroy: fails, imports: fails,
		}, proxy.All, 1, f)
	}
	all := []*fault{
		busy("429 with Retry-After x3", 3, proxy.Status(429, metav1.StatusReasonTooManyRequests, "too many requests", time.Second)),
		busy("429 x3", 3, proxy.Reply(429, "text/plain", "slow down")),
		busy("500 x2", 2, status(500, metav1.StatusReasonInternalError, "something broke")),
		busy("etcd without a leader x3", 3, status(500, metav1.StatusReasonInternalError, "etcdserver: leader changed")),
		busy("503 x3", 3, proxy.Reply(503, "text/plain", "starting")),
		busy("GOAWAY", 0, proxy.GoAway),
		{
			row: rowBusy, name: "restart of 20 s", on: everywhere(succeeds), when: proxy.All, slow: true,
			rules: func(c *cell, at int) []proxy.Rule {
				return []proxy.Rule{{When: proxy.All, Skip: at, Times: 1, Fault: proxy.Instead("restart",
					func(proxy.Request) { c.proxy.Down(20 * time.Second) }, proxy.Reset)}}
			},
		},
	}
	all[len(all)-1].on[planNew] = told // it does not wait that long for what it can do without
	all = append(all, lost("504", status(504, metav1.StatusReasonTimeout, "request did not complete within the allotted timeout"))...)
	all = append(all, lost("reset", proxy.Reset)...)
	all = append(all, lost("stream ended", proxy.Abort)...)
	all = append(all, simple(rowLost, "cut in the middle", everywhere(succeeds), proxy.All, 1, proxy.Cut))
	all = append(all, holes()...)
	all = append(all,
		nonsense("HTML", proxy.Reply(200, "text/html", "<html><body>log in first</body></html>")),
		nonsense("half of the JSON", proxy.Truncate),
		nonsense("nothing", proxy.Reply(200, "application/json", "")),
		nonsense("another kind", proxy.Reply(200, "application/json",
			`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","uid":"1"}}`)),
		nonsense("a Status", proxy.Reply(200, "application/json", `{"kind":"Status","apiVersion":"v1","status":"Failure"}`)),
		nonsense("32 MB", proxy.Huge(32<<20)),
	)
	return append(all, refusals()...)
}

// holes are servers that stop answering.
func holes() []*fault {
	ends := everywhere(fails)
	ends[planNew] = told
	return []*fault{
		{
			row: rowSlow, name: "black hole", on: ends, when: proxy.All, slow: true, limit: 3 * time.Second,
			rules: times(proxy.All, 0, proxy.Hang),
		},
		{
			row: rowSlow, name: "black hole after a write", on: changing(fails), when: proxy.Writes, slow: true, limit: 3 * time.Second,
			rules: func(_ *cell, at int) []proxy.Rule {
				return []proxy.Rule{
					{When: proxy.Writes, Skip: at, Times: 1, Fault: proxy.Lost(proxy.Hang)},
					{When: after(proxy.Writes, at), Fault: proxy.Hang},
				}
			},
		},
		{
			row: rowSlow, name: "2 s latency and 10 KB/s", on: everywhere(succeeds), slow: true,
			arrange: func(c *cell) { c.proxy.Shape(proxy.Link{RoundTrip: 2 * time.Second, BytesPerSecond: 10 << 10}) }, late: true,
			undo: func(c *cell) { c.proxy.Shape(proxy.Link{}) },
		},
	}
}

// after is the condition of all requests that come after number at of those
// that another condition wants.
func after(when func(proxy.Request) bool, at int) func(proxy.Request) bool {
	met := 0
	return func(r proxy.Request) bool {
		if met > at {
			return true
		}
		if when(r) {
			met++
		}
		return false
	}
}

// refusals are answers of a server that will not do it.
func refusals() []*fault {
	webhook := "Internal error occurred: failed calling webhook \"validation.istio.io\": failed to call webhook: " +
		"Post \"https://istiod.istio-system.svc:443/validate?timeout=10s\": context deadline exceeded"
	forbidden := func(c *cell, at int) []proxy.Rule {
		return []proxy.Rule{{When: proxy.Writes, Skip: at, Fault: status(403, metav1.StatusReasonForbidden,
			"User \"system:serviceaccount:terraform:terraform-provider-istio\" cannot do that")}}
	}
	return []*fault{
		simple(rowConflict, "409 of the resourceVersion x5", changing(succeeds), proxy.Writes, 5,
			status(409, metav1.StatusReasonConflict, "the object has been modified; please apply your changes to the latest version and try again")),
		{
			row: rowRefused, name: "422", on: changing(fails), when: proxy.Writes, says: hitObject,
			rules: stuck(status(422, metav1.StatusReasonInvalid, "spec.x: Invalid value: 1: no")),
		},
		{
			row: rowRefused, name: "denied by a webhook", on: changing(fails), when: proxy.Writes, says: hitObject,
			rules: stuck(status(400, metav1.StatusReasonBadRequest, "admission webhook \"validation.istio.io\" denied the request: no")),
		},
		simple(rowRefused, "webhook timeout x2", changing(succeeds), proxy.Writes, 2, status(500, metav1.StatusReasonInternalError, webhook)),
		simple(rowAccess, "401 once", everywhere(succeeds), proxy.All, 1, proxy.Reply(401, "text/plain", "Unauthorized")),
		{
			row: rowAccess, name: "401 from then on", when: proxy.All,
			on:    map[operation]outcome{create: fails, read: fails, update: fails, destroy: fails, imports: fails, planNew: told},
			rules: times(proxy.All, 0, status(401, metav1.StatusReasonUnauthorized, "Unauthorized")),
		},
		{
			row: rowAccess, name: "403 on writes from then on", on: changing(fails), when: proxy.Writes, rules: forbidden,
			says: func(c *cell) []string { return append(hitObject(c), "examples/rbac") },
		},
	}
}

// stuck is a fault that one object meets from write number at on.
func stuck(f proxy.Fault) func(*cell, int) []proxy.Rule {
	return func(_ *cell, at int) []proxy.Rule {
		met, path := 0, ""
		return []proxy.Rule{{Fault: f, When: func(r proxy.Request) bool {
			if path == "" && r.IsWrite() {
				if met == at {
					path = r.Path
				}
				met++
			}
			return r.IsWrite() && r.Path == path
		}}}
	}
}

// hitObject is what an error about the request that met the fault has to name,
// where there was one such request.
func hitObject(c *cell) []string {
	hit := c.hit()
	for _, r := range hit {
		if r.Path != hit[0].Path {
			return nil
		}
	}
	if len(hit) == 0 {
		return nil
	}
	return []string{hit[0].Namespace + "/" + hit[0].Name}
}

// limited is a provider block that names its owner.
var ownerID = core.Object{"owner_id": "faults"}
