package meshcost

import (
	"maps"
	"os"
	"slices"
	"testing"

	"istio.io/istio/pkg/log"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// TestMain silences istiod.
func TestMain(m *testing.M) {
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	os.Exit(m.Run())
}

func measured(t *testing.T, l Layout, s Spread) [3]Config {
	t.Helper()
	r, err := Measure(l, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	return r.Configs
}

// What one more policy adds, where it adds anything: always the same, and nothing to
// the sidecars of namespaces that it does not name.
func TestGrowth(t *testing.T) {
	none := measured(t, Policies, Spread{})
	one := measured(t, Policies, Spread{Policies: 1, Namespaces: 1})
	two := measured(t, Policies, Spread{Policies: 2, Namespaces: 1})
	six := measured(t, Policies, Spread{Policies: 6, Namespaces: 1})
	spread := measured(t, Policies, Spread{Policies: 6, Namespaces: 3})

	for name, got := range map[string][3]Config{"1": one, "2": two, "6": six, "6 over 3 namespaces": spread} {
		if got[Bystander] != none[Bystander] {
			t.Errorf("%s policies: the sidecar of another namespace has %+v, and %+v without any", name, got[Bystander], none[Bystander])
		}
	}
	if spread[Source] != two[Source] {
		t.Errorf("2 policies: %+v; with 4 of other namespaces: %+v", two[Source], spread[Source])
	}
	each := [3]Config{
		Source:  {Clusters: 2, Listeners: 1, FilterChains: 2, Routes: 3},
		Gateway: {Clusters: 2, Listeners: 1, FilterChains: 1, Routes: 1},
	}
	for _, proxy := range []int{Source, Gateway} {
		more, many := two[proxy].Minus(one[proxy]), six[proxy].Minus(two[proxy])
		// Lengths take more bytes in a longer message.
		if few := many.Bytes - 4*more.Bytes; few < -16 || few > 16 {
			t.Errorf("%s: one more is %d bytes, four more %d", Proxies[proxy], more.Bytes, many.Bytes)
		}
		more.Bytes, many.Bytes = 0, 0
		want := each[proxy]
		if more != want {
			t.Errorf("%s: one more policy adds %+v, want %+v", Proxies[proxy], more, want)
		}
		if (many != Config{Clusters: 4 * want.Clusters, Listeners: 4 * want.Listeners, FilterChains: 4 * want.FilterChains, Routes: 4 * want.Routes}) {
			t.Errorf("%s: four more policies add %+v", Proxies[proxy], many)
		}
	}
}

// The test above notices when other namespaces are told of a policy.
func TestGrowthNoticesExports(t *testing.T) {
	none := measured(t, Policies, Spread{})
	for _, kind := range []string{"Service", "ServiceEntry"} {
		exposed := Policies
		exposed.objects = func(s Spread) ([]manifest.Object, error) {
			objects, err := compiled(s)
			return exported(objects, kind), err
		}
		got := measured(t, exposed, Spread{Policies: 2, Namespaces: 1})
		if got[Bystander] == none[Bystander] {
			t.Errorf("%s without exportTo: the sidecar of another namespace has what it has without policies", kind)
		}
	}
}

// exported returns objects of which those of a kind are seen by the whole mesh.
func exported(objects []manifest.Object, kind string) []manifest.Object {
	objects = slices.Clone(objects)
	for i, o := range objects {
		if o.Body.GetKind() != kind {
			continue
		}
		body := o.Body.DeepCopy()
		annotations := maps.Clone(body.GetAnnotations())
		delete(annotations, compile.AnnotationExportTo)
		body.SetAnnotations(annotations)
		if spec, ok := body.Object["spec"].(map[string]any); ok {
			delete(spec, "exportTo")
		}
		objects[i].Body = body
	}
	return objects
}

// The layout to compare with is one that works: the gateway serves each host, and
// every sidecar of the mesh is told.
func TestByHand(t *testing.T) {
	none := measured(t, ByHand, Spread{})
	two := measured(t, ByHand, Spread{Policies: 2, Namespaces: 1})
	added := two[Gateway].Minus(none[Gateway])
	if added.FilterChains != 2 || added.Routes != 2 || added.Clusters != 4 {
		t.Errorf("the gateway gets %+v", added)
	}
	if two[Bystander].Minus(none[Bystander]).Clusters != 4 {
		t.Errorf("the sidecar of another namespace gets %+v", two[Bystander].Minus(none[Bystander]))
	}
}
