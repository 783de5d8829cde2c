package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

func TestSelectRows(t *testing.T) {
	for text, want := range map[string]selection{
		"":                          {},
		defaultRows:                 {terraformCore: 0, rawLoop: 0, kubectlApply: 0},
		"kubectl_manifest wan":      {kubectlManifest: 100, longWay: wanLargest},
		"kubectl_manifest=10 wan=1": {kubectlManifest: 10, longWay: 1},
	} {
		got, err := selectRows(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"nothing", "wan=0", "wan=x"} {
		if _, err := selectRows(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestChanged(t *testing.T) {
	named := func(name, value string) object {
		return object{body: &unstructured.Unstructured{Object: map[string]any{
			"kind": "Service", "metadata": map[string]any{"name": name, "namespace": "n"}, "spec": value,
		}}}
	}
	w := work{objects: []object{named("a", "1"), named("b", "1")}}
	w.changed = differing(w.objects, []object{named("a", "1"), named("b", "2")})
	if len(w.changed) != 1 || w.changed[0].key() != "Service/n/b" {
		t.Errorf("changed: %v", w.changed)
	}
	text, err := asList(w.afterChange())
	if err != nil || strings.Count(text, `"spec":"1"`) != 1 || strings.Count(text, `"spec":"2"`) != 1 {
		t.Errorf("after the change: %s, %v", text, err)
	}
}

// TestTargets: each of them can be met, and missed.
func TestTargets(t *testing.T) {
	// run is one in which the provider takes so many times what it should.
	run := func(count, times int) measured {
		m := measured{count: count, rows: map[string]life{}}
		for name, perPolicy := range map[string]time.Duration{
			ourPolicies: 10 * time.Millisecond, terraformCore: 6 * time.Millisecond, rawLoop: 6 * time.Millisecond, kubectlManifest: 40 * time.Millisecond,
		} {
			o := newLife()
			for _, operation := range operations {
				o.costs[operation] = cost{wall: perPolicy * time.Duration(count)}
				if name == ourPolicies {
					o.costs[operation] = cost{
						wall:     perPolicy * time.Duration(count*times),
						provider: usage{cpu: time.Millisecond * time.Duration(count*times), peakRSS: 100 << 20 * int64(times)},
						requests: slices.Repeat(testbed.Requests{{Verb: "get", Resource: "/apis"}}, times-1),
					}
				}
			}
			o.stateBytes = 2 << 10 * int64(count*times)
			m.rows[name] = o
		}
		return m
	}
	const targets = 3 + 6 + 4 + 3 + 1 // floors, peer, provider, growth, long way
	for times, verdict := range map[int]string{1: "| met |", 20: "| **not met** |"} {
		r := results{
			executable: executable{startUp: 10 * time.Millisecond * time.Duration(times)},
			runs:       []measured{run(100, 1), run(1000, times)},
			wan:        &wan{count: 100, stages: 8, life: run(100, times).rows[ourPolicies]},
		}
		if table := r.targets(); strings.Count(table, verdict) != targets {
			t.Errorf("not %d times %q:\n%s", targets, verdict, table)
		}
	}
}
