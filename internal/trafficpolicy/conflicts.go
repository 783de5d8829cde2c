package trafficpolicy

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// met is the index by which a policy finds what it may meet.
var met = &cluster.Index{Keys: conflict.Keys}

// inspection looks for what a policy would meet in the cluster.
type inspection struct {
	client *cluster.Client
	mesh   compile.Mesh
	owner  cluster.Owner
	policy policy.Policy
	// prior is the policy as it was last applied, nil if it is new.
	prior *policy.Policy
	// ports are the container ports that are known.
	ports map[string]int64
	// objects are what the policy compiles to with these ports.
	objects []manifest.Object
	// own has the objects that are this instance's whoever they name.
	own map[manifest.ID]bool

	listed  []*unstructured.Unstructured
	secrets map[string]conflict.Secret
	// refused are the permissions without which something was not seen.
	refused []string
	// fresh has the objects that were asked for one by one; nil if gone.
	fresh map[manifest.ID]*unstructured.Unstructured
}

// inspect prepares the inspection of a policy that compiles to objects. before
// are those of prior, its state, which is nil for a new one.
func (r *Resource) inspect(client *cluster.Client, owner cluster.Owner, p policy.Policy, settled map[string]int64, objects []manifest.Object, prior *Model, before []manifest.Object) *inspection {
	i := &inspection{
		client: client, mesh: r.provider.Mesh, owner: owner, policy: p, ports: settled, objects: objects,
		own: map[manifest.ID]bool{}, fresh: map[manifest.ID]*unstructured.Unstructured{},
	}
	if prior != nil {
		i.prior = &prior.Policy
	}
	for _, object := range slices.Concat(objects, before) {
		i.own[object.ID()] = true
	}
	return i
}

// look reads what the policy may meet from the LISTs that this process shares.
// What RBAC refuses is named in refused, and counts as not there.
func (i *inspection) look(ctx context.Context) error {
	asks := conflict.Asks(i.policy, i.mesh, i.ports)
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	for kind, keys := range asks {
		group.Go(func() error {
			found, err := i.client.Find(groupCtx, inspected[kind], met, keys, i.namespaces())
			mu.Lock()
			defer mu.Unlock()
			i.refused = append(i.refused, found.Refused...)
			i.listed = append(i.listed, found.Objects...)
			return err
		})
	}
	group.Go(func() error {
		secrets, refused, err := i.lookAtSecrets(groupCtx, i.client.GlanceSecret)
		mu.Lock()
		defer mu.Unlock()
		i.secrets = secrets
		i.refused = append(i.refused, refused...)
		return err
	})
	err := group.Wait()
	slices.Sort(i.refused)
	i.refused = slices.Compact(i.refused)
	return err
}

// namespaces are those whose objects decide about the policy's calls, in order.
func (i *inspection) namespaces() []string {
	namespaces := []string{i.mesh.RootNamespace}
	if i.policy.ByEgressGateway != nil {
		namespaces = append(namespaces, i.policy.ByEgressGateway.Namespace)
	}
	for _, rule := range i.policy.EgressRules {
		for _, from := range rule.From {
			namespaces = append(namespaces, from.Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// lookAtSecrets asks, in one way or another, for the Secrets of the policy's
// credentials.
func (i *inspection) lookAtSecrets(
	ctx context.Context, look func(ctx context.Context, namespace, name string) (cluster.SecretLook, error),
) (map[string]conflict.Secret, []string, error) {
	secrets := map[string]conflict.Secret{}
	var refused []string
	for _, name := range conflict.Secrets(i.policy) {
		seen, err := look(ctx, i.policy.ByEgressGateway.Namespace, name)
		if err != nil {
			return nil, nil, err
		}
		if seen.Refused != "" {
			refused = append(refused, seen.Refused)
			continue
		}
		secrets[name] = conflict.Secret{Exists: seen.Exists, Keys: seen.Keys}
	}
	return secrets, refused, nil
}

// check returns the conflicts with what was seen.
func (i *inspection) check() []conflict.Conflict {
	live := conflict.Live{Secrets: i.secrets}
	for _, object := range i.listed {
		if now, asked := i.fresh[idOf(object)]; asked {
			object = now
		}
		if object != nil {
			live.Add(object)
		}
	}
	return conflict.Check(conflict.Input{
		Policy: i.policy, Prior: i.prior, Mesh: i.mesh, Ports: i.ports, Objects: i.objects, Live: live, Holder: i.holder,
	})
}

// holder says whose a live object is.
func (i *inspection) holder(live *unstructured.Unstructured) conflict.Holder {
	other, named := cluster.OwnerOf(live)
	switch {
	case named && other.Nonce == i.owner.Nonce, i.own[idOf(live)]:
		return conflict.Holder{Own: true, Ours: true}
	case named:
		return conflict.Holder{Ours: true, Name: other.String()}
	}
	name := ""
	if managers := i.client.Managers(live); len(managers) > 0 {
		name = "field manager " + strings.Join(managers, ", ")
	}
	return conflict.Holder{Ours: live.GetLabels()[compile.LabelManagedBy] == compile.ProviderName, Name: name}
}

// confirm returns the conflicts that forbid a write. It asks for the objects
// that they are about as they are now: the LISTs are as old as the process,
// which may have written since.
func (i *inspection) confirm(ctx context.Context) ([]conflict.Conflict, error) {
	for secretsAreFresh := false; ; {
		var fatal []conflict.Conflict
		isFresh := true
		for _, c := range i.check() {
			if !c.Fatal() || i.replaces(c) {
				continue
			}
			fatal = append(fatal, c)
			switch {
			case c.Other != nil:
				if _, asked := i.fresh[idOf(c.Other)]; !asked {
					isFresh = false
					if err := i.refresh(ctx, c.Other); err != nil {
						return nil, err
					}
				}
			case !secretsAreFresh:
				secretsAreFresh, isFresh = true, false
				var err error
				if i.secrets, _, err = i.lookAtSecrets(ctx, i.client.LookAtSecret); err != nil {
					return nil, err
				}
			}
		}
		if isFresh {
			return fatal, nil
		}
	}
}

// replaces reports whether a conflict is with the policy of this name behind a
// gateway in another namespace. That is the instance which this one replaces
// with create_before_destroy, and of which an apply knows nothing else: its
// routes have to be there until the new ones are.
func (i *inspection) replaces(c conflict.Conflict) bool {
	if !c.Movable || c.Other == nil {
		return false
	}
	other, named := cluster.OwnerOf(c.Other)
	return named && other.Resource == i.owner.Resource && strings.HasSuffix(other.ImportID, "/"+i.policy.Name)
}

// refresh asks for an object of a LIST as it is now.
func (i *inspection) refresh(ctx context.Context, listed *unstructured.Unstructured) error {
	id := idOf(listed)
	now, err := i.client.Get(ctx, id)
	if apierrors.IsForbidden(err) {
		now, err = listed, nil
	}
	if err != nil {
		return err
	}
	if now != nil && now.GetDeletionTimestamp() != nil {
		now = nil
	}
	i.fresh[id] = now
	return nil
}

func idOf(object *unstructured.Unstructured) manifest.ID {
	return manifest.ID{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
}
