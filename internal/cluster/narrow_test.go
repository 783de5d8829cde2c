package cluster

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// narrowing returns a release, and the update of its route by way of a
// narrower one.
func narrowing(l *lab) (prior, next Release) {
	prior = l.create(l.owner(), l.object(1, istioGateway), l.object(3, virtualService), l.object(4, serviceEntry))
	narrow, wide := l.object(3, strings.Replace(virtualService, "60s", "30s", 1)), l.object(3, strings.Replace(virtualService, "60s", "90s", 1))
	return prior, Release{
		Owner:   prior.Owner,
		First:   []manifest.Object{narrow, prior.Objects[2]},
		Objects: []manifest.Object{prior.Objects[0], wide},
	}
}

func TestUpdateNarrowsFirst(t *testing.T) {
	for name, test := range map[string]struct {
		change func(l *lab, prior Release, next *Release)
		want   []string
	}{
		"and widens last": {
			change: func(*lab, Release, *Release) {},
			want:   []string{"delete up", "patch mesh", "patch gw-10000", "patch mesh"},
		},
		"to the final body: one write": {
			change: func(_ *lab, _ Release, next *Release) { next.Objects[1] = next.First[0] },
			want:   []string{"delete up", "patch mesh", "patch gw-10000"},
		},
		"not what is gone": {
			change: func(l *lab, prior Release, _ *Release) {
				l.raw("DELETE", l.path(prior.Objects[1].ID()), "")
				l.raw("DELETE", l.path(prior.Objects[2].ID()), "")
			},
			want: []string{"patch gw-10000", "patch mesh"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			prior, next := narrowing(l)
			test.change(l, prior, &next)
			mark := l.mark()
			here, err := l.client.Update(l.ctx(), prior, next, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(keys(next.Objects), keys(here)); diff != "" {
				t.Error(diff)
			}
			all, err := l.cp.Requests(mark)
			if err != nil {
				t.Fatal(err)
			}
			var order []string
			for _, r := range all.ByAgent(l.agents[l.client]).Writes() {
				if r.Code == http.StatusConflict {
					continue // istiod wrote the status of the ServiceEntry meanwhile
				}
				order = append(order, r.Verb+" "+r.Name)
			}
			if diff := cmp.Diff(test.want, order); diff != "" {
				t.Error(diff)
			}
			l.clean(next)
		})
	}
}

// TestNarrowingKeepsWhatThePlanShowed: drift that the plan showed is repaired
// by both writes; what came since stops the first.
func TestNarrowingKeepsWhatThePlanShowed(t *testing.T) {
	for name, shown := range map[string]bool{"shown": true, "not shown": false} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			prior, next := narrowing(l)
			client := l.newClient(Options{})
			edit := func() {
				l.merge(next.Objects[1].ID(), `{"spec":{"exportTo":["*"],"http":[{"timeout":"7s","route":[{"destination":{"host":"elsewhere.example"}}]}]}}`)
			}
			if shown {
				edit()
			}
			seen, err := client.Observe(l.ctx(), prior)
			if err != nil {
				t.Fatal(err)
			}
			if !shown {
				edit()
			}
			_, err = client.Update(l.ctx(), prior, next, l.shown(seen), manifest.DetailDigest.Render)
			if shown != (err == nil) {
				t.Fatalf("%v", err)
			}
			if shown {
				l.clean(next)
			}
		})
	}
}
