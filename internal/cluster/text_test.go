package cluster

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

var configMapKind = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

func (l *lab) configMap(name, data string) manifest.ID {
	l.Helper()
	code, answer := l.raw("POST", "/api/v1/namespaces/"+l.namespace+"/configmaps?fieldManager=helm",
		fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q},"data":%s}`, name, data))
	if code != 201 {
		l.Fatal(code, answer)
	}
	return manifest.ID{GVK: configMapKind, Namespace: l.namespace, Name: name}
}

func (l *lab) text(id manifest.ID) string {
	l.Helper()
	text, ok := TextOf(l.live(id), "mesh")
	if !ok {
		l.Fatalf("%s has no text", id)
	}
	return text
}

// Many provider processes edit one mesh config at once, each a line of its own
// and one of them the mode: nothing is lost.
func TestEditTextRace(t *testing.T) {
	l := newLab(t)
	const before = "# kept\ntrustDomain: cluster.local\n"
	id := l.configMap("istio", fmt.Sprintf(`{"mesh":%q,"meshNetworks":"networks: {}"}`, before))
	const editors = 12
	var all sync.WaitGroup
	for i := range editors {
		client := l.newClient(Options{})
		all.Go(func() {
			err := client.EditText(l.ctx(), id, "mesh", "example.com/note", func(text Text) (_ Text, err error) {
				text.Note += "x"
				if i == 0 {
					text.Value, err = meshconfig.Set(text.Value, meshconfig.RegistryOnly)
					return text, err
				}
				text.Value += fmt.Sprintf("key%d: value\n", i)
				return text, nil
			})
			if err != nil {
				t.Errorf("editor %d: %v", i, err)
			}
		})
	}
	all.Wait()
	text := l.text(id)
	if config, err := meshconfig.Parse(text); err != nil || config.OutboundMode != meshconfig.RegistryOnly || config.TrustDomain != "cluster.local" {
		t.Errorf("%+v, %v:\n%s", config, err, text)
	}
	for i := 1; i < editors; i++ {
		if !strings.Contains(text, fmt.Sprintf("key%d: value\n", i)) {
			t.Errorf("the edit of %d is lost:\n%s", i, text)
		}
	}
	if note := l.live(id).GetAnnotations()["example.com/note"]; len(note) != editors {
		t.Errorf("of %d notes there is %q", editors, note)
	}
	back, err := meshconfig.Remove(text)
	for i := 1; i < editors; i++ {
		back = strings.Replace(back, fmt.Sprintf("key%d: value\n", i), "", 1)
	}
	if err != nil || back != before {
		t.Errorf("%v: %q", err, back)
	}
	if networks, _ := TextOf(l.live(id), "meshNetworks"); networks != "networks: {}" {
		t.Errorf("another key became %q", networks)
	}
}

func TestEditTextWritesNothing(t *testing.T) {
	l := newLab(t)
	id := l.configMap("istio", `{"mesh":"a: b\n"}`)
	other := l.configMap("empty", `{"else":"x"}`)
	version := l.live(id).GetResourceVersion()
	refused := errors.New("refused")
	for name, c := range map[string]struct {
		id   manifest.ID
		edit error
		want func(error) bool
	}{
		"unchanged": {id, nil, func(err error) bool { return err == nil }},
		"refused":   {id, refused, func(err error) bool { return errors.Is(err, refused) }},
		"no key": {other, nil, func(err error) bool {
			var missing *MissingError
			return errors.As(err, &missing) && missing.Key == "mesh"
		}},
		"no object": {manifest.ID{GVK: configMapKind, Namespace: l.namespace, Name: "none"}, nil, func(err error) bool {
			var missing *MissingError
			return errors.As(err, &missing) && missing.Key == ""
		}},
	} {
		err := l.client.EditText(l.ctx(), c.id, "mesh", "example.com/note", func(text Text) (Text, error) { return text, c.edit })
		if !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l.client.Wrote() || l.live(id).GetResourceVersion() != version {
		t.Error("something was written")
	}
}
