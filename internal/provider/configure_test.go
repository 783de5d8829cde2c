package provider

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// block returns a provider block with these attributes; a value of nil is
// unknown, what is not named is null.
func block(t *testing.T, attributes map[string]any) tftypes.Value {
	t.Helper()
	of := blockSchema(t).Type().TerraformType(context.Background()).(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, typ := range of.AttributeTypes {
		values[name] = tftypes.NewValue(typ, nil)
		switch v, named := attributes[name]; {
		case named && v == nil:
			values[name] = tftypes.NewValue(typ, tftypes.UnknownValue)
		case named:
			values[name] = tftypes.NewValue(typ, v)
		case name == "exec":
			values[name] = tftypes.NewValue(typ, []tftypes.Value{})
		}
	}
	return tftypes.NewValue(of, values)
}

func strs(values ...string) []tftypes.Value {
	var list []tftypes.Value
	for _, v := range values {
		list = append(list, tftypes.NewValue(tftypes.String, v))
	}
	return list
}

func execOf(t *testing.T, apiVersion string) tftypes.Value {
	t.Helper()
	of := blockSchema(t).Type().TerraformType(context.Background()).(tftypes.Object).AttributeTypes["exec"].(tftypes.List).ElementType
	return tftypes.NewValue(of, map[string]tftypes.Value{
		"api_version": tftypes.NewValue(tftypes.String, apiVersion),
		"command":     tftypes.NewValue(tftypes.String, "aws"),
		"args":        tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, nil),
		"env":         tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, nil),
	})
}

func configure(t *testing.T, attributes, env map[string]any, deferral bool) provider.ConfigureResponse {
	t.Helper()
	variables := map[string]string{}
	for name, v := range env {
		variables[name] = v.(string)
	}
	var resp provider.ConfigureResponse
	p := &Provider{version: "test", environment: in(variables)}
	p.Configure(context.Background(), provider.ConfigureRequest{
		Config:             tfsdk.Config{Schema: blockSchema(t), Raw: block(t, attributes)},
		ClientCapabilities: provider.ConfigureProviderClientCapabilities{DeferralAllowed: deferral},
	}, &resp)
	return resp
}

// unknownModel has every attribute unknown.
func unknownModel() Model {
	var m Model
	ctx := context.Background()
	var resp provider.SchemaResponse
	(&Provider{}).Schema(ctx, provider.SchemaRequest{}, &resp)
	types := resp.Schema.Type().(attr.TypeWithAttributeTypes).AttributeTypes()
	fields := reflect.ValueOf(&m).Elem()
	for i := range fields.NumField() {
		typ := types[fields.Type().Field(i).Tag.Get("tfsdk")]
		v, err := typ.ValueFromTerraform(ctx, tftypes.NewValue(typ.TerraformType(ctx), tftypes.UnknownValue))
		if err != nil {
			panic(err)
		}
		fields.Field(i).Set(reflect.ValueOf(v))
	}
	return m
}

func TestConfigureDefaults(t *testing.T) {
	resp := configure(t, nil, nil, true)
	if len(resp.Diagnostics) > 0 || resp.Deferred != nil {
		t.Fatal(summaries(resp.Diagnostics), resp.Deferred)
	}
	got := resp.ResourceData.(*settings.Provider)
	want := compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}
	if diff := cmp.Diff(want, got.Mesh); diff != "" {
		t.Error(diff)
	}
	if got.Detail != manifest.DetailDigest || got.OwnerID != "" || !got.MeshKnown {
		t.Errorf("%q %q %v", got.Detail, got.OwnerID, got.MeshKnown)
	}
	if resp.DataSourceData != got || resp.ListResourceData != got {
		t.Error("data sources get something else")
	}
	_, err := got.Connect()
	if !settings.IsNoCluster(err) || settings.IsUnknown(err) {
		t.Errorf("%v", err)
	}
}

func TestConfigureEverything(t *testing.T) {
	resp := configure(t, map[string]any{
		"istio_namespace": "istio-root", "revision": "cp-v131.istio-system", "trust_domain": "td.example", "trust_domain_aliases": strs("old.example"),
		"cluster_domain": "corp.example", "owner_id": "prod", "manifest_detail": "full",
	}, nil, false)
	got := resp.ResourceData.(*settings.Provider)
	want := compile.Mesh{
		RootNamespace: "istio-root", Revision: "cp-v131.istio-system", TrustDomain: "td.example", TrustDomainAliases: []string{"old.example"},
		ClusterDomain: "corp.example",
	}
	if diff := cmp.Diff(want, got.Mesh); diff != "" {
		t.Error(diff)
	}
	if got.Detail != manifest.DetailFull || got.OwnerID != "prod" {
		t.Errorf("%q %q", got.Detail, got.OwnerID)
	}
}

// An unknown value fails only the call that needs it, by its name, and hides
// the environment: it may become another cluster.
func TestConfigureUnknown(t *testing.T) {
	attributes := slices.Sorted(maps.Keys(blockSchema(t).Attributes))
	mesh := unknownModel().unknownMesh(context.Background())
	for _, name := range append(attributes, "exec") {
		t.Run(name, func(t *testing.T) {
			unknown := map[string]any{"host": "https://h.example"}
			unknown[name] = nil
			resp := configure(t, unknown, map[string]any{"KUBE_HOST": "https://other.example"}, false)
			if len(resp.Diagnostics) > 0 || resp.Deferred != nil {
				t.Fatal(summaries(resp.Diagnostics), resp.Deferred)
			}
			got := resp.ResourceData.(*settings.Provider)
			ofMesh := slices.Contains(mesh, name)
			if got.MeshKnown == ofMesh {
				t.Errorf("MeshKnown is %v", got.MeshKnown)
			}
			_, err := got.Connect()
			if settings.IsUnknown(err) == ofMesh || !ofMesh && !strings.Contains(err.Error(), "`"+name+"`") {
				t.Errorf("Connect: %v", err)
			}
		})
	}
	t.Run("one element", func(t *testing.T) {
		resp := configure(t, map[string]any{"config_paths": []tftypes.Value{tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}}, nil, false)
		if _, err := resp.ResourceData.(*settings.Provider).Connect(); !settings.IsUnknown(err) {
			t.Errorf("%v %v", err, summaries(resp.Diagnostics))
		}
	})
}

func TestConfigureDeferral(t *testing.T) {
	if resp := configure(t, map[string]any{"host": nil}, nil, true); resp.Deferred == nil ||
		resp.Deferred.Reason != provider.DeferredReasonProviderConfigUnknown {
		t.Errorf("%v", resp.Deferred)
	}
}

// Configure and Connect never dial.
func TestConfigureDialsNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	resp := configure(t, map[string]any{"host": "https://" + listener.Addr().String(), "token": "t"}, nil, false)
	connect := resp.ResourceData.(*settings.Provider).Connect
	first, err := connect()
	must(t, err)
	second, err := connect()
	must(t, err)
	if first != second {
		t.Error("Connect made two clients")
	}
	accepted := make(chan struct{})
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
			close(accepted)
		}
	}()
	// What had been dialled would stand in the backlog, before this connection of our own.
	own, err := net.Dial("tcp", listener.Addr().String())
	must(t, err)
	<-accepted
	must(t, own.SetReadDeadline(time.Now().Add(5*time.Second)))
	if _, err := own.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("somebody else was accepted first: %v", err)
	}
	_ = listener.Close()
}

// A mistake in the block is an error of Configure at its attribute.
func TestConfigureError(t *testing.T) {
	resp := configure(t, map[string]any{"config_path": "/nonexistent/config"}, nil, false)
	if resp.Diagnostics.ErrorsCount() != 1 {
		t.Fatal(summaries(resp.Diagnostics))
	}
}

func TestServedSchema(t *testing.T) {
	server := providerserver.NewProtocol6(New("test")())()
	resp, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	must(t, err)
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
}

// Mistakes that validation finds, before any file is read.
func TestValidate(t *testing.T) {
	cases := map[string]struct {
		attributes map[string]any
		want       string
	}{
		"valid":             {map[string]any{"host": "https://h.example", "exec": []tftypes.Value{execOf(t, "client.authentication.k8s.io/v1beta1")}}, ""},
		"path and paths":    {map[string]any{"config_path": "a", "config_paths": strs("b")}, "config_paths"},
		"token and exec":    {map[string]any{"token": "t", "exec": []tftypes.Value{execOf(t, "client.authentication.k8s.io/v1")}}, "exec"},
		"two plugins":       {map[string]any{"exec": []tftypes.Value{execOf(t, "client.authentication.k8s.io/v1"), execOf(t, "client.authentication.k8s.io/v1")}}, "exec"},
		"an old plugin":     {map[string]any{"exec": []tftypes.Value{execOf(t, "client.authentication.k8s.io/v1alpha1")}}, "api_version"},
		"manifest_detail":   {map[string]any{"manifest_detail": "some"}, "manifest_detail"},
		"istio_namespace":   {map[string]any{"istio_namespace": "Istio"}, "istio_namespace"},
		"revision":          {map[string]any{"revision": "-1-31"}, "revision"},
		"trust_domain":      {map[string]any{"trust_domain": "spiffe://td"}, "trust_domain"},
		"alias":             {map[string]any{"trust_domain_aliases": strs("ok.example", "a b")}, "trust_domain_aliases"},
		"duplicate alias":   {map[string]any{"trust_domain_aliases": strs("a", "a")}, "trust_domain_aliases"},
		"cluster_domain":    {map[string]any{"cluster_domain": ".cluster.local"}, "cluster_domain"},
		"owner_id":          {map[string]any{"owner_id": ""}, "owner_id"},
		"qps":               {map[string]any{"qps": 0.0}, "qps"},
		"burst":             {map[string]any{"qps": 5.0, "burst": 0}, "burst"},
		"burst without qps": {map[string]any{"burst": 5}, "qps"},
	}
	server := providerserver.NewProtocol6(New("test")())()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			value := block(t, c.attributes)
			config, err := tfprotov6.NewDynamicValue(value.Type(), value)
			must(t, err)
			resp, err := server.ValidateProviderConfig(context.Background(), &tfprotov6.ValidateProviderConfigRequest{Config: &config})
			must(t, err)
			var text []string
			for _, d := range resp.Diagnostics {
				text = append(text, d.Summary+": "+d.Detail+" "+d.Attribute.String())
			}
			if (len(text) == 0) != (c.want == "") || !strings.Contains(strings.Join(text, "\n"), c.want) {
				t.Errorf("%v", text)
			}
		})
	}
}
